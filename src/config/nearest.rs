//! The nearest known word to a mistyped one.

/// The nearest of `known`, if near enough to be what was meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    known.into_iter().map(|candidate| (distance(word, candidate), candidate)).filter(|(far, _)| *far <= limit).min().map(|(_, near)| near)
}

/// Letters to change, add or take away (Levenshtein); two neighbours that changed places count once.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (above[j] + usize::from(a != b)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, far) in
            [("", "abc", 3), ("url", "url", 0), ("ulr", "url", 1), ("timeout", "timeout_s", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), far, "{one} {other}");
        }
        assert_eq!(nearest("timout_s", ["url", "timeout_s"]), Some("timeout_s"));
        assert_eq!(nearest("colour", ["url", "timeout_s"]), None);
    }
}
