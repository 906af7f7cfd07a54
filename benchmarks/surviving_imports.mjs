// Which imports of each file are left when TypeScript (and, for single files, Vue) has compiled it, and when they take effect.
// Standard input: {"installed": folder with node_modules, "root": folder, "files": [paths]}; output: {path: [[specifier, kind]]}, null where it failed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const { installed, root, files } = JSON.parse(readFileSync(0, "utf8"));
const need = createRequire(join(installed, "package.json"));
const ts = need("typescript");

const settings = new Map();

function optionsOf(folder) {
  if (settings.has(folder)) return settings.get(folder);
  const name = join(folder, "tsconfig.json");
  let found;
  if (ts.sys.fileExists(name)) {
    const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic() {} };
    found = ts.getParsedCommandLineOfConfigFile(name, {}, host)?.options;
  }
  found ??= folder.length > root.length ? optionsOf(dirname(folder)) : {};
  settings.set(folder, found);
  return found;
}

function vueScript(text, path) {
  const compiler = need("@vue/compiler-sfc");
  const { descriptor } = compiler.parse(text, { filename: path });
  if (!descriptor.script && !descriptor.scriptSetup) return "";
  return compiler.compileScript(descriptor, { id: path, inlineTemplate: true, fs: ts.sys }).content;
}

function survivors(path) {
  const full = join(root, path);
  let text = readFileSync(full, "utf8");
  let name = full;
  if (path.endsWith(".vue")) {
    text = vueScript(text, full);
    name = `${full}.tsx`.replace(/tsx$/, /lang="tsx"/.test(text) ? "tsx" : "ts");
  }
  const compilerOptions = { ...optionsOf(dirname(full)), module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext, allowJs: true };
  if (path.endsWith(".svelte")) {
    text = need("svelte/compiler").compile(text, { filename: full, generate: "client" }).js.code;
    name = `${full}.js`;
  }
  const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: name });
  const jsx = ts.createSourceFile("out.jsx", outputText, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JSX);
  const found = [];
  const literal = (node) => (node && ts.isStringLiteralLike(node) ? node.text : undefined);
  const visit = (node, lazy) => {
    const when = lazy ? "lazy" : "import-time";
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const from = literal(node.moduleSpecifier);
      if (from !== undefined) found.push([from, when]);
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      const from = literal(node.moduleReference.expression);
      if (from !== undefined) found.push([from, when]);
    } else if (ts.isCallExpression(node) && node.arguments.length) {
      const from = literal(node.arguments[0]);
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword && from !== undefined) found.push([from, "lazy"]);
      else if (ts.isIdentifier(node.expression) && node.expression.text === "require" && from !== undefined) found.push([from, when]);
    }
    ts.forEachChild(node, (child) => visit(child, lazy || ts.isFunctionLike(node)));
  };
  visit(jsx, false);
  return found;
}

const result = {};
for (const path of files) {
  try {
    result[path] = survivors(path);
  } catch {
    result[path] = null;
  }
}
process.stdout.write(JSON.stringify(result));
