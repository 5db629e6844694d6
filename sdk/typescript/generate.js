// Writes src/schema.gen.ts, the types of the contract on the standard input. `task generate` calls it.
import { writeFileSync } from "node:fs";
import { json } from "node:stream/consumers";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const { factory } = ts;
const text = (value) => factory.createLiteralTypeNode(factory.createStringLiteral(value));
const keyword = (kind) => factory.createKeywordTypeNode(kind);

/** A number that is not assignable from the id of something else. */
const id = (of) => factory.createIntersectionTypeNode([
  keyword(ts.SyntaxKind.NumberKeyword),
  factory.createTypeLiteralNode([
    factory.createPropertySignature([factory.createModifier(ts.SyntaxKind.ReadonlyKeyword)], "__idOf", undefined, text(of)),
  ]),
]);

/** The known values, and any other string: a later version may add some. */
const open = (values) => factory.createUnionTypeNode([
  ...values.map(text),
  factory.createIntersectionTypeNode([keyword(ts.SyntaxKind.StringKeyword), factory.createTypeLiteralNode([])]),
]);

const ast = await openapiTS(await json(process.stdin), {
  transform(schema) {
    if (schema["x-id-of"]) return id(schema["x-id-of"]);
    if (schema["x-extensible-enum"]) return open(schema["x-extensible-enum"]);
    return undefined;
  },
});
writeFileSync("src/schema.gen.ts", "// Code generated from the contracts by tools/generate. DO NOT EDIT.\n\n" + astToString(ast));
