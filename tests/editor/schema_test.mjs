// The JSON Schemas under a real validator: they compile as draft-07, take every good file, and catch those of the planted
// mistakes that a schema can catch; which those are is a list that is reviewed.
//   node schema_test.mjs SOURCE_DIR      (UPDATE=1 writes the list anew)
import Ajv from 'ajv';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import YAML from 'yaml';

const source = process.argv[2];
const failures = [];
const check = (holds, what) => { if (!holds) failures.push(what); };
const yamlFiles = (folder) =>
  fs.readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)).sort().map((name) => path.join(folder, name));

// As an editor reads it: no duplicate keys, core schema. null: not YAML at all.
const read = (file) => {
  const document = YAML.parseDocument(fs.readFileSync(file, 'utf8'), { version: '1.2' });
  try {
    return document.errors.length > 0 ? null : document.toJS();
  } catch {
    return null;  // an alias to nothing
  }
};

const ajv = new Ajv.default({ allErrors: true, strict: false });
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const validators = {};
for (const name of fs.readdirSync(path.join(source, 'schemas')).filter((one) => one.endsWith('.schema.json'))) {
  const schema = JSON.parse(fs.readFileSync(path.join(source, 'schemas', name), 'utf8'));
  check(/draft-07/.test(schema.$schema ?? ''), `${name} is draft-07`);
  check(ajv.validateSchema(schema) === true, `${name} is a schema: ${ajv.errorsText()}`);
  validators[name] = ajv.compile(schema);
}
const scenario = validators['scenario.schema.json'];

for (const file of yamlFiles(path.join(source, 'scenarios'))) {
  check(scenario(read(file)) === true, `${file} is a scenario: ${ajv.errorsText(scenario.errors)}`);
}

// Fragments: two of them hold a mistake that the schema sees, an unknown input and a key of scenarios.
const fragment = validators['fragment.schema.json'];
for (const file of yamlFiles(path.join(source, 'tests/cases/plan/err/fragments'))) {
  const wrong = ['mistaken.yaml', 'limited.yaml'].includes(path.basename(file));
  check(fragment(read(file)) === !wrong, `${file}: ${wrong ? 'taken' : ajv.errorsText(fragment.errors)}`);
}
const shaped = (outputs) => fragment({ outputs, steps: [{ uses: 'local.exec', with: { command: ['date'] } }] });
check(shaped({ said: { value: '${{ steps.a.stdout }}', description: 'text' }, plain: '${{ 1 }}', list: [1] }), 'outputs in their forms');
check(!shaped({ said: { value: 1, about: 'text' } }), 'an unknown key of an output');
check(!shaped({ 'not a name': 1 }), 'an output that is no name');

const caught = [];
const planted = yamlFiles(path.join(source, 'tests/cases/plan/err'));
for (const file of planted) {
  const value = read(file);
  if (value === null || scenario(value) !== true) caught.push(path.basename(file));
}
const list = path.join(source, 'tests/editor/caught.txt');
if (process.env.UPDATE) fs.writeFileSync(list, caught.join('\n') + '\n');
const known = fs.readFileSync(list, 'utf8').trim().split('\n');
for (const name of known) check(caught.includes(name), `${name} is no longer caught by the schema`);
for (const name of caught) check(known.includes(name), `${name} is caught now: UPDATE=1 puts it into caught.txt`);
check(caught.length >= 60, `only ${caught.length} of ${planted.length} planted mistakes are caught`);

for (const failure of failures) console.error(`failed: ${failure}`);
console.log(`${planted.length} planted mistakes, ${caught.length} caught by the schema alone`);
process.exit(failures.length > 0 ? 1 : 0);
