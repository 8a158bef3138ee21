/**
 * Codecs of a value that can be written as a document.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Safetensors from "../Safetensors.ts"
import * as Document from "./document.ts"

interface Documented<A> {
  readonly identifier: string
  readonly is: (u: unknown) => u is A
  readonly toDocument: (value: A) => Document.Document
  readonly fromDocument: (document: Document.Unchecked) => A
}

/** A function that throws, as a getter that fails with the same message. */
const getter = <A, B>(f: (value: A) => B): SchemaGetter.Getter<B, A> =>
  SchemaGetter.transformEffect((value: A) =>
    Effect.try({
      try: () => f(value),
      catch: (error) =>
        new SchemaIssue.InvalidValue({ message: error instanceof Error ? error.message : String(error) })
    })
  )

/** The codec of the value itself, to JSON, and to bytes. */
export const codecs = <A>({ fromDocument, identifier, is, toDocument }: Documented<A>) => {
  const bytes = {
    decode: getter((encoded: Uint8Array) => fromDocument(Document.fromBytes(identifier, encoded))),
    encode: getter((value: A): Uint8Array => Safetensors.concat(Document.toChunks(identifier, toDocument(value))))
  }
  const json = {
    decode: getter((encoded: Schema.Json) => fromDocument(Document.fromJson(identifier, encoded))),
    encode: getter((value: A): Schema.Json => Document.toJson(identifier, toDocument(value)))
  }
  const schema: Schema.Codec<A> = Schema.declare(is, {
    identifier,
    toCodec: () => Schema.link<A>()(Schema.Uint8Array, bytes),
    toCodecJson: () => Schema.link<A>()(Schema.Json, json)
  })
  const Bytes: Schema.Codec<A, Uint8Array> = Schema.Uint8Array.pipe(Schema.decodeTo(schema, bytes))
  const Json: Schema.Codec<A, Schema.Json> = Schema.Json.pipe(Schema.decodeTo(schema, json))
  return { schema, Bytes, Json }
}
