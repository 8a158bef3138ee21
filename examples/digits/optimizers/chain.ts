/**
 * Chains as JSON, as they stand in a file or on the command line:
 *
 *     [{"clipByGlobalNorm": {"maxNorm": 1}},
 *      {"multiSteps": {"everyKSchedule": 4, "inner": [{"adamw": {"weightDecay": 0.01}}]}},
 *      "scaleBySign"]
 *
 * Each part is a name with its options, or a name alone; the chain that a wrapper wraps is its option `inner`.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { isObject } from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { platformReason } from "../failure.ts"
import { transformNamed, transformNames, transformRow } from "./names.ts"
import { BadOptimizer, type Options, type Part } from "./part.ts"

const isOptions = (json: unknown): json is Options => isObject(json) && !Array.isArray(json)

const example = '{"adamw":{"weightDecay":0.01}}'

const nameAndOptions = (json: Schema.Json): readonly [name: string, options: Schema.Json] | undefined => {
  if (typeof json === "string") return [json, {}]
  if (!isOptions(json)) return undefined
  const [entry, ...others] = Object.entries(json)
  return others.length === 0 ? entry : undefined
}

const partOf = (json: Schema.Json): Result.Result<Part, string> => {
  const [written, options] = nameAndOptions(json) ?? []
  if (written === undefined || options === undefined)
    return Result.fail(`expected one transform with its options, as in ${example}`)
  const name = transformNamed(written)
  if (name === undefined)
    return Result.fail(`there is no transform ${JSON.stringify(written)}; there are ${transformNames.join(", ")}`)
  if (!isOptions(options)) return Result.fail(`expected the options of ${written} to be an object, as in ${example}`)
  if (transformRow(name)?.isWrapper !== true || options["inner"] === undefined) return Result.succeed({ name, options })
  const { inner: wrapped, ...own } = options
  const inner = Result.mapError(partsOf(wrapped), (reason) => `${written}: inner: ${reason}`)
  return Result.map(inner, (parts): Part => ({ name, options: own, inner: parts }))
}

/** The parts of a chain, or what is wrong with its form. */
const partsOf = (json: Schema.Json): Result.Result<ReadonlyArray<Part>, string> => {
  if (!Array.isArray(json)) return Result.fail(`expected a list of transforms, as in [${example}]`)
  return Result.all(
    (json as ReadonlyArray<Schema.Json>).map((part, index) =>
      Result.mapError(partOf(part), (reason) => `part ${index + 1}: ${reason}`)
    )
  )
}

const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))

/** The parts of a chain that is given as JSON, or by the name of a file with JSON. */
export const read = Effect.fnUntraced(function* (
  chain: string
): Effect.fn.Return<ReadonlyArray<Part>, BadOptimizer, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const refuse = (reason: string) => new BadOptimizer({ place: `--chain ${chain}`, reason })
  const file = Effect.mapError(fs.readFileString(chain), (error) => refuse(platformReason(error)))
  const text = chain.startsWith("[") ? chain : yield* file
  const json = yield* Effect.mapError(decode(text), () => refuse("expected JSON"))
  return yield* Effect.mapError(Effect.fromResult(partsOf(json)), refuse)
})

/** A chain as it can stand in a file. */
export const toJson = (parts: ReadonlyArray<Part>): Schema.Json =>
  parts.map(({ inner, name, options }) => ({
    [name]: inner === undefined ? options : { ...options, inner: toJson(inner) }
  }))
