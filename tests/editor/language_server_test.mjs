// What an author sees in an editor: the real yaml-language-server over stdio with the committed schema. It marks an unknown
// key at its place, completes step types and their inputs, and shows what an input is for.
//   node language_server_test.mjs SOURCE_DIR SERVER
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const [source, serverPath] = process.argv.slice(2);
const server = spawn(process.execPath, [serverPath, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
const failures = [];
const check = (holds, what) => { if (!holds) failures.push(what); };
const settings = {
  yaml: {
    schemas: { [pathToFileURL(path.join(source, 'schemas/scenario.schema.json')).href]: ['*.yaml'] },
    schemaStore: { enable: false },
    validate: true, hover: true, completion: true,
  },
};

// --- the protocol: JSON-RPC with Content-Length ---
let buffer = Buffer.alloc(0);
let nextId = 1;
const waiting = new Map();
const diagnostics = new Map();
const told = new Map();
const send = (message) => {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
  server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
  server.stdin.write(body);
};
const request = (method, params) => new Promise((resolve, reject) => {
  const id = nextId++;
  waiting.set(id, { resolve, reject });
  send({ id, method, params });
});
const receive = (message) => {
  if (message.id !== undefined && message.method !== undefined) {
    const result = message.method === 'workspace/configuration'
      ? message.params.items.map((item) => settings[item.section] ?? null) : null;
    send({ id: message.id, result });
  } else if (message.id !== undefined) {
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    message.error ? reject(new Error(message.error.message)) : resolve(message.result);
  } else if (message.method === 'textDocument/publishDiagnostics') {
    diagnostics.set(message.params.uri, message.params.diagnostics);
    told.get(message.params.uri)?.();
  }
};
server.stdout.on('data', (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const head = buffer.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, head).toString())[1]);
    if (buffer.length < head + 4 + length) return;
    const body = buffer.subarray(head + 4, head + 4 + length).toString();
    buffer = buffer.subarray(head + 4 + length);
    receive(JSON.parse(body));
  }
});

// Opens a text; its place is where `|` stands, which is taken out.
let count = 0;
const open = (text) => {
  const at = text.indexOf('|');
  const before = text.slice(0, at < 0 ? 0 : at).split('\n');
  const uri = pathToFileURL(path.join(source, `scenarios/.editor-${++count}.yaml`)).href;
  const clean = at < 0 ? text : text.slice(0, at) + text.slice(at + 1);
  const seen = new Promise((resolve) => told.set(uri, resolve));
  send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text: clean } } });
  return { uri, seen, position: { line: before.length - 1, character: before[before.length - 1].length } };
};
const labels = async (text) => {
  const { uri, position } = open(text);
  const answer = await request('textDocument/completion', { textDocument: { uri }, position });
  return (answer.items ?? answer).map((item) => item.label);
};

const timer = setTimeout(() => {
  console.error('failed: the language server did not answer within 60 s');
  server.kill();
  process.exit(1);
}, 60_000);

const { capabilities } = await request('initialize', {
  processId: process.pid, rootUri: pathToFileURL(source).href,
  capabilities: { workspace: { configuration: true }, textDocument: { completion: {}, hover: { contentFormat: ['markdown'] } } },
});
check(capabilities.completionProvider !== undefined, 'the server completes');
send({ method: 'initialized', params: {} });
send({ method: 'workspace/didChangeConfiguration', params: { settings } });

for (const name of fs.readdirSync(path.join(source, 'scenarios')).filter((one) => one.endsWith('.yaml'))) {
  const { uri, seen } = open(fs.readFileSync(path.join(source, 'scenarios', name), 'utf8').replaceAll('|', '/'));
  await seen;
  check(diagnostics.get(uri).length === 0, `${name} is clean: ${JSON.stringify(diagnostics.get(uri))}`);
}

const head = 'name: drill\nsteps:\n';
{
  const { uri, seen } = open(`${head}  - id: a\n    uses: vast.create_instance\n    with: { offer: 1, image: x, disc: 20 GB }\n`);
  await seen;
  const found = diagnostics.get(uri).find((one) => one.message.includes('disc'));
  check(found !== undefined, `the unknown key is named: ${JSON.stringify(diagnostics.get(uri))}`);
  check(found?.range.start.line === 4 && found?.range.start.character === 32, `at its place: ${JSON.stringify(found?.range)}`);
}
{
  const { uri, seen } = open(`${head}  - id: a\n    uses: vast.create_instanc\n`);
  await seen;
  check(diagnostics.get(uri).length > 0, 'an unknown step type is marked');
}
{
  const found = await labels(`${head}  - id: a\n    uses: |\n`);
  for (const type of ['vast.create_instance', 'snapshot.restore', 'checksum.verify']) {
    check(found.includes(type), `${type} is offered for uses: ${found}`);
  }
}
{
  const found = await labels(`${head}  - id: a\n    uses: vast.create_instance\n    with:\n      |\n`);
  for (const input of ['offer', 'image', 'disk']) check(found.includes(input), `${input} is offered below with: ${found}`);
  check(!found.includes('snapshot'), `nothing of another step type is offered: ${found}`);
}
{
  const { uri, seen, position } = open(`${head}  - id: a\n    uses: vast.create_instance\n    with:\n      off|er: 1\n      image: x\n`);
  await seen;
  const hover = await request('textDocument/hover', { textDocument: { uri }, position });
  const text = (hover?.contents?.value ?? '').replaceAll('\\', '');
  check(text.includes('vast.search_offers'), `hovering shows what the input is: ${text}`);
}
{
  const { uri, seen, position } = open(`${head}  - id: a\n    uses: vast.destroy_instance\n    with: { instance: 1 }\n    tim|eout: 5m\n`);
  await seen;
  const hover = await request('textDocument/hover', { textDocument: { uri }, position });
  const text = hover?.contents?.value ?? '';
  check(text.includes('How long the step may take'), `hovering over a key of a step shows what it is for: ${text}`);
}

await request('shutdown', null);
send({ method: 'exit' });
clearTimeout(timer);
for (const failure of failures) console.error(`failed: ${failure}`);
console.log(failures.length === 0 ? 'the editor shows what it should' : `${failures.length} failures`);
server.on('exit', () => process.exit(failures.length > 0 ? 1 : 0));
