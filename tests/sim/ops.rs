//! What may happen in a sequence. Operations name replicas, events and transmissions by a number that is taken modulo how many
//! there are, so that a list with holes is a list.

use crate::events::{Event, Templates};
use crate::probe::Spot;
use crate::random::Random;
use crate::receiver::Ruling;
use std::fmt::Write as _;

/// How a transmission's answer comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The receiver's own answer; where the message has not reached it, it does so now.
    Answer,
    /// No answer. The receiver has the message, if it reached it before.
    Lost,
    /// 503, where it has not reached the receiver.
    Closed,
    /// 500.
    Error,
    /// An answer that is no receipt, and one for another message.
    Garbled,
    Foreign,
    /// A status that means nothing to us.
    Strange,
    /// 409 without a proof.
    Unproved,
    /// 202: the receiver has it, and the receipt comes later: it can be asked for at a place, or it is called back.
    Pending,
    Called,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    /// A source hands events in, and hears what became of them.
    Arrive {
        replica: usize,
        events: Vec<usize>,
    },
    /// Committed, and the process ends before the source hears: the source hands it in again when all is over.
    Unheard {
        replica: usize,
        event: usize,
    },
    /// Claims what is due and sends it; it is under way until the operations below say how it goes on.
    Claim {
        replica: usize,
        destination: usize,
    },
    /// A transmission reaches the receiver; the answer is under way.
    Reach {
        flight: usize,
        ruling: Ruling,
    },
    /// The answer comes.
    Hear {
        flight: usize,
        way: Way,
    },
    /// The delivery dies with its lease: before or after the message has reached the receiver.
    Drop {
        flight: usize,
    },
    /// It dies between the news of its route and what it would have written.
    Die {
        flight: usize,
        way: Way,
    },
    /// Everything due is delivered and answered well.
    Round {
        replica: usize,
    },
    /// Time's work: what is withheld, alarms.
    Look {
        replica: usize,
    },
    /// The process ends and is started again, on its store opened anew or not.
    Crash {
        replica: usize,
        reopen: bool,
    },
    /// The clock goes on, or a little back.
    Pass {
        seconds: i64,
    },
    /// The clock goes to when the next lease ends or the next delivery falls due.
    PassToDue,
    /// The receiver calls with the receipt of a message that it has; where that is settled already, perhaps with another word.
    CallBack {
        message: usize,
        contradicts: bool,
    },
    /// A receipt comes for a message that has not left.
    CallAstray {
        message: usize,
    },
    Break {
        spot: Spot,
    },
    Mend,
    /// An operator lets a held message go, or moves a case to the other rules.
    Release {
        held: usize,
    },
    Move {
        episode: usize,
    },
    /// A person sends again what is parked or rejected: one message or all of them. With `again` one that the receiver has.
    Resend {
        message: usize,
        all: bool,
        again: bool,
    },
    /// A person closes a message that waits for one; with `untried` one in its lane.
    Resolve {
        message: usize,
        untried: bool,
    },
    Serve {
        replica: usize,
    },
    /// A backup is made. SQLite only, as is what follows.
    BackUp,
    /// The last backup is put back where the program has ended, and the files of sources that are newer are laid back into their
    /// folders. They are read at once, or before anything else that arrives.
    Restore {
        at_once: bool,
    },
}

/// A sequence: which events there are, how many replicas, and what happens.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    pub(crate) pool: Vec<Event>,
    pub(crate) replicas: usize,
    /// The receiver can be asked for any message.
    pub(crate) looks_up: bool,
    pub(crate) ops: Vec<Op>,
    /// Afterwards time runs on for days, not only until the lanes are empty.
    pub(crate) long: bool,
}

impl Sequence {
    pub(crate) fn make(templates: &Templates, seed: u64, replicas: Option<usize>) -> Self {
        let mut random = Random::new(seed);
        let pool = templates.pool(&mut random);
        let replicas = replicas.unwrap_or(if random.percent(35) { 2 } else { 1 });
        let mut order: Vec<usize> = (0..pool.len()).collect();
        if random.percent(40) {
            random.shuffle(&mut order);
        } else if order.len() > 1 && random.percent(50) {
            let place = random.below(order.len() - 1);
            order.swap(place, place + 1);
        }
        let length = 10 + random.below(31).min(random.below(31));
        let looks_up = random.percent(40);
        // Each sequence is of a few kinds of operations: what is rare in all of them together is frequent in some.
        let mut maker = Maker { kinds: random.next(), random, order, at: 0, pool: pool.len() };
        let ops = (0..length).map(|_| maker.op()).collect();
        Self { pool, replicas, looks_up, ops, long: maker.random.percent(1) }
    }

    /// Without the operation at a place.
    pub(crate) fn without(&self, places: std::ops::Range<usize>) -> Self {
        let mut fewer = self.clone();
        fewer.ops.drain(places);
        fewer
    }

    /// The same with one operation made simpler, in each way that there is.
    pub(crate) fn simpler(&self, place: usize) -> Vec<Self> {
        let mut ops = Vec::new();
        match &self.ops[place] {
            Op::Arrive { replica, events } => {
                if events.len() > 1 {
                    ops.extend((0..events.len()).map(|left_out| {
                        let events = events.iter().enumerate().filter(|(place, _)| *place != left_out).map(|(_, event)| *event).collect();
                        Op::Arrive { replica: *replica, events }
                    }));
                }
                if *replica > 0 {
                    ops.push(Op::Arrive { replica: 0, events: events.clone() });
                }
            }
            Op::Unheard { replica, event } => ops.push(Op::Arrive { replica: *replica, events: vec![*event] }),
            Op::Claim { replica, destination } if *replica > 0 => ops.push(Op::Claim { replica: 0, destination: *destination }),
            Op::Die { flight, .. } => ops.push(Op::Drop { flight: *flight }),
            Op::Crash { replica, reopen: true } => ops.push(Op::Crash { replica: *replica, reopen: false }),
            Op::Resend { message, all: true, again } => ops.push(Op::Resend { message: *message, all: false, again: *again }),
            Op::Resend { message, all: false, again: true } => ops.push(Op::Resend { message: *message, all: false, again: false }),
            Op::Resolve { message, untried: true } => ops.push(Op::Resolve { message: *message, untried: false }),
            Op::Restore { at_once: false } => ops.push(Op::Restore { at_once: true }),
            Op::Reach { flight, ruling } if *ruling != Ruling::Accept => ops.push(Op::Reach { flight: *flight, ruling: Ruling::Accept }),
            Op::Hear { flight, way } if *way != Way::Answer => ops.push(Op::Hear { flight: *flight, way: Way::Answer }),
            _ => {}
        }
        let mut out: Vec<Self> = ops
            .into_iter()
            .map(|op| {
                let mut simpler = self.clone();
                simpler.ops[place] = op;
                simpler
            })
            .collect();
        if place == 0 {
            out.extend((self.replicas > 1).then(|| Self { replicas: 1, ..self.clone() }));
            out.extend(self.looks_up.then(|| Self { looks_up: false, ..self.clone() }));
            out.extend(self.long.then(|| Self { long: false, ..self.clone() }));
        }
        out
    }

    /// The list for people.
    pub(crate) fn tell(&self) -> String {
        let looks_up = if self.looks_up { ", messages can be looked up" } else { "" };
        let mut out = format!("{} replicas{looks_up}{}\n", self.replicas, if self.long { ", time runs on for days" } else { "" });
        let name = |event: &usize| self.pool[event % self.pool.len()].name.clone();
        for op in &self.ops {
            let _ = match op {
                Op::Arrive { replica, events } => {
                    writeln!(out, "  Arrive at {replica}: {}", events.iter().map(name).collect::<Vec<_>>().join(" + "))
                }
                Op::Unheard { replica, event } => writeln!(out, "  Unheard at {replica}: {}", name(event)),
                other => writeln!(out, "  {other:?}"),
            };
        }
        let _ = writeln!(out, "as code: {:?}", self.ops);
        out
    }
}

struct Maker {
    random: Random,
    /// Bits: which of the rarer kinds may happen.
    kinds: u64,
    order: Vec<usize>,
    at: usize,
    pool: usize,
}

impl Maker {
    fn may(&self, bit: u32) -> bool {
        self.kinds & (1 << bit) != 0
    }

    fn op(&mut self) -> Op {
        let replica = self.random.below(2);
        let flight = self.random.below(4);
        loop {
            let op = match self.random.below(115) {
                0..=22 if self.pool > 0 => self.arrive(replica),
                23..=25 if self.may(3) => Op::CallBack { message: self.random.below(6), contradicts: self.random.percent(30) },
                26 if self.may(4) => Op::CallAstray { message: self.random.below(6) },
                27..=29 if self.may(8) && self.pool > 0 => Op::Unheard { replica, event: self.event() },
                30..=44 => Op::Claim { replica, destination: self.random.below(2) },
                45..=51 => Op::Reach { flight, ruling: self.ruling() },
                52..=65 => Op::Hear { flight, way: self.way() },
                66..=67 if self.may(9) => Op::Drop { flight },
                68..=69 if self.may(10) => Op::Die { flight, way: if self.random.percent(50) { Way::Error } else { Way::Lost } },
                70..=74 => Op::Round { replica },
                75..=77 => Op::Look { replica },
                78..=80 if self.may(11) => Op::Crash { replica, reopen: self.random.percent(30) },
                81..=86 => Op::Pass { seconds: self.seconds() },
                87..=90 => Op::PassToDue,
                91..=92 if self.may(12) => Op::Break { spot: *self.random.pick(&Spot::ALL) },
                93..=94 if self.may(12) => Op::Mend,
                95..=96 if self.may(13) => Op::Release { held: self.random.below(4) },
                97 if self.may(14) => Op::Move { episode: self.random.below(2) },
                98..=99 if self.may(13) || self.may(14) || self.may(16) => Op::Serve { replica },
                100..=102 if self.may(16) => {
                    Op::Resend { message: self.random.below(6), all: self.random.percent(25), again: self.random.percent(30) }
                }
                103..=104 if self.may(16) => Op::Resolve { message: self.random.below(6), untried: self.random.percent(40) },
                105 if self.may(16) => Op::Serve { replica },
                // A restore takes longer than all else: in one sequence of four.
                106..=109 if self.may(17) && self.may(18) => Op::BackUp,
                110..=114 if self.may(17) && self.may(18) => Op::Restore { at_once: self.random.percent(60) },
                _ => continue,
            };
            return op;
        }
    }

    /// The next event, or one that came before.
    fn event(&mut self) -> usize {
        if self.at > 0 && self.random.percent(15) {
            return self.order[self.random.below(self.at.min(self.pool))];
        }
        let event = self.order[self.at % self.pool];
        self.at += 1;
        event
    }

    fn arrive(&mut self, replica: usize) -> Op {
        let many = if self.random.percent(15) { 2 + self.random.below(3) } else { 1 };
        let events = (0..many).map(|_| self.event()).collect();
        Op::Arrive { replica, events }
    }

    fn ruling(&mut self) -> Ruling {
        match self.random.below(10) {
            0 => Ruling::Reject,
            1 => Ruling::Refuse,
            2 => Ruling::Remark,
            _ => Ruling::Accept,
        }
    }

    fn way(&mut self) -> Way {
        let ways = [Way::Lost, Way::Closed, Way::Error, Way::Garbled, Way::Foreign, Way::Strange, Way::Unproved, Way::Pending, Way::Called];
        let bit = self.random.below(ways.len());
        if self.random.percent(70) && self.may(u32::try_from(bit).expect("small") % 8) { ways[bit] } else { Way::Answer }
    }

    fn seconds(&mut self) -> i64 {
        let most = *self.random.pick(&[3, 60, 130, 130, 1_000, 6 * 3_600, 80 * 3_600]);
        let seconds = i64::try_from(1 + self.random.below(most)).expect("small");
        if self.may(15) && self.random.percent(15) { -seconds.min(600) } else { seconds }
    }
}
