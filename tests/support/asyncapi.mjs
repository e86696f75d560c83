// Reads an AsyncAPI document with the official parser and says as JSON what is wrong with it.
import { createRequire } from "node:module";
import path from "node:path";

const [modules, file] = process.argv.slice(2);
const require = createRequire(path.join(modules, "package.json"));
const { Parser, fromFile } = require("@asyncapi/parser");

const { document, diagnostics } = await fromFile(new Parser(), file).parse();
console.log(
  JSON.stringify({
    read: document !== undefined,
    diagnostics: diagnostics.map(({ code, message, path, severity }) => ({
      code,
      message,
      path: path.join("."),
      severity,
    })),
  }),
);
