// `validate --format sarif` under SARIF's own JSON Schema (draft-04, from Microsoft's SARIF package), and what the schema
// cannot say: rules are found where ruleIndex says, places are inside their files.
//   node sarif_test.mjs SOURCE_DIR FAILOVER_BINARY
import Ajv from 'ajv-draft-04';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const [source, binary] = process.argv.slice(2);
const failures = [];
const check = (holds, what) => { if (!holds) failures.push(what); };

const ajv = new Ajv.default({ allErrors: true, strict: false, unicodeRegExp: false });
ajv.addFormat('uri', (text) => URL.canParse(text));
ajv.addFormat('uri-reference', (text) => URL.canParse(text, 'file:///'));
ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)));
const schema = JSON.parse(fs.readFileSync('node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json', 'utf8'));
const valid = ajv.compile(schema);

const said = (files, code) => {
  const done = spawnSync(binary, ['validate', '--format', 'sarif', ...files], { cwd: source, encoding: 'utf8', maxBuffer: 1 << 28 });
  check(done.status === code, `exit code ${done.status} instead of ${code}: ${done.stderr}`);
  const log = JSON.parse(done.stdout);
  check(valid(log) === true, `valid SARIF: ${ajv.errorsText(valid.errors).slice(0, 2000)}`);
  check(log.runs.length === 1, 'one run');
  return log.runs[0];
};

const folder = path.join(source, 'tests/cases/plan/err');
const planted = fs.readdirSync(folder).filter((name) => name.endsWith('.yaml')).map((name) => path.join('tests/cases/plan/err', name));
const run = said(planted, 2);
check(run.results.length >= planted.length, `${run.results.length} results of ${planted.length} files`);
const rules = run.tool.driver.rules;
check(run.columnKind === 'unicodeCodePoints' || run.columnKind === 'utf16CodeUnits', 'columns are of a declared kind');
for (const result of run.results) {
  check(rules[result.ruleIndex]?.id === result.ruleId, `${result.ruleId} is the rule at ${result.ruleIndex}`);
  for (const { physicalLocation: place } of result.locations) {
    const file = path.join(source, decodeURIComponent(place.artifactLocation.uri));
    check(fs.existsSync(file), `${file} is a file`);
    if (!fs.existsSync(file) || !place.region) continue;
    const lines = fs.readFileSync(file, 'latin1').split('\n').length;
    check(place.region.startLine >= 1 && place.region.startLine <= lines, `${file}:${place.region.startLine} is a line of it`);
  }
}
const clean = said(['scenarios/realtime-sync.yaml'], 0);
check(clean.results.length === 0, 'nothing is wrong with a good file');

for (const failure of failures.slice(0, 40)) console.error(`failed: ${failure}`);
if (failures.length > 0) process.exit(1);
console.log(`${run.results.length} findings in ${planted.length} files are valid SARIF, and so is none`);
