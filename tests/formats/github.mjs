// Reads workflow commands as GitHub's runner does, and has GitHub's library write each again.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const core = await import(pathToFileURL(process.argv[2]));
const lines = readFileSync(process.argv[3], "utf8").split("\n");

const data = (text) => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
const property = (text) =>
  data(text.replaceAll("%3A", ":").replaceAll("%2C", ","));

const commands = [];
for (const line of lines) {
  const found = /^::(\w+) (.*?)::(.*)$/s.exec(line);
  if (!found) continue;
  const [, kind, properties, message] = found;
  const given = Object.fromEntries(
    properties.split(",").map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), property(pair.slice(at + 1))];
    }),
  );
  let again = "";
  const write = process.stdout.write;
  process.stdout.write = (text) => ((again += text), true);
  core[kind](data(message), {
    title: given.title,
    file: given.file,
    startLine: given.line && Number(given.line),
    startColumn: given.col && Number(given.col),
  });
  process.stdout.write = write;
  commands.push({ kind, ...given, line: Number(given.line), message: data(message), again });
}
console.log(JSON.stringify(commands));
