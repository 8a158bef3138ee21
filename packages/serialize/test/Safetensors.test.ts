import { assert, describe, it } from "@effect/vitest"
import { InvalidBool, InvalidEntry, InvalidSafetensors, Safetensors, UnsupportedDtype } from "@optim/serialize"
import * as fc from "fast-check"
import { fileOf, fixture, messageOf, small, thrown } from "./support.ts"

const host = (entry: Safetensors.Entry) => Safetensors.toHost(entry).data

const byName = (file: Safetensors.Safetensors): Record<string, Safetensors.Entry> =>
  Object.fromEntries(file.tensors.map((entry) => [entry.name, entry]))

const shapes = fc.array(fc.nat({ max: 3 }), { maxLength: 3 })

const product = (shape: ReadonlyArray<number>): number => shape.reduce((count, size) => count * size, 1)

const data = (count: number): fc.Arbitrary<Float32Array | Int32Array | Uint8Array> =>
  fc.oneof(
    fc
      .uint8Array({ minLength: 4 * count, maxLength: 4 * count })
      .map((bytes) => new Float32Array(bytes.slice().buffer)),
    fc.int32Array({ minLength: count, maxLength: count }),
    fc.uint8Array({ minLength: count, maxLength: count, max: 1 })
  )

const names = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .filter((name) => name !== "__metadata__" && name !== "__proto__")

const entries = fc.uniqueArray(
  fc
    .tuple(names, shapes)
    .chain(([name, shape]) =>
      data(product(shape)).map((values) => Safetensors.fromHost(name, { shape, data: values }))
    ),
  { selector: ({ name }) => name, maxLength: 6 }
)

const metadata = fc
  .uniqueArray(fc.tuple(names, fc.string({ unit: "grapheme" })), { selector: ([key]) => key, maxLength: 3 })
  .map((pairs): Record<string, string> => Object.fromEntries(pairs))

const sorted = (tensors: ReadonlyArray<Safetensors.Entry>) =>
  tensors
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => [entry.name, entry.dtype, entry.shape, entry.bytes])

/** A valid value or a typed error, whatever the bytes are. */
const total = (bytes: Uint8Array): boolean => {
  try {
    const { tensors } = Safetensors.decode(bytes)
    return tensors.reduce((length, entry) => length + entry.bytes.byteLength, 0) <= bytes.byteLength
  } catch (error) {
    return error instanceof InvalidSafetensors && error.message.length < 2000
  }
}

describe("laws", () => {
  it("decode(encode(file)) is the file", () => {
    fc.assert(
      fc.property(entries, metadata, (tensors, metadata) => {
        const file = Safetensors.decode(Safetensors.encode({ tensors, metadata }))
        assert.deepStrictEqual(sorted(file.tensors), sorted(tensors))
        assert.deepStrictEqual(file.metadata, metadata)
      })
    )
  })

  it("encode does not depend on the order of tensors", () => {
    fc.assert(
      fc.property(entries, metadata, (tensors, metadata) => {
        const reversed = Safetensors.encode({ tensors: tensors.toReversed(), metadata })
        assert.deepStrictEqual(Safetensors.encode({ tensors, metadata }), reversed)
      })
    )
  })

  it("encode(decode(bytes)) are the bytes of encode", () => {
    fc.assert(
      fc.property(entries, metadata, (tensors, metadata) => {
        const bytes = Safetensors.encode({ tensors, metadata })
        assert.deepStrictEqual(Safetensors.encode(Safetensors.decode(bytes)), bytes)
      })
    )
  })

  it("every tensor of an encoded file is aligned to its elements and a view of the file", () => {
    fc.assert(
      fc.property(entries, (tensors) => {
        const bytes = Safetensors.encode({ tensors })
        for (const entry of Safetensors.decode(bytes).tensors) assert.strictEqual(host(entry).buffer, bytes.buffer)
      })
    )
  })

  it("decode of a flipped bit, of a cut file, of random bytes is a valid value or a typed error", () => {
    const seeds = [small(), fixture("tfjs"), fixture("others"), fixture("bf16"), fixture("empty")]
    const mutated = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
      )
      .map(([seed, edits]) => {
        const bytes = seed.slice()
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        return bytes
      })
    const flipped = fc.tuple(fc.constantFrom(...seeds), fc.nat()).map(([seed, bit]) => {
      const bytes = seed.slice()
      const at = (bit >> 3) % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
      return bytes
    })
    const cut = fc
      .tuple(fc.constantFrom(...seeds), fc.nat())
      .map(([seed, length]) => seed.slice(0, length % seed.length))
    const random = fc.uint8Array({ maxLength: 64 })
    const framed = fc.string({ maxLength: 80 }).map((header) => fileOf(`{${header}}`))
    const { failed } = fc.check(fc.property(fc.oneof(mutated, flipped, cut, random, framed), total), { numRuns: 5000 })
    assert.isFalse(failed)
  })

  it("every single cut of a file is a typed error", () => {
    const bytes = fixture("tfjs")
    for (let length = 0; length < bytes.length; length++) {
      assert.instanceOf(
        thrown(() => Safetensors.decode(bytes.subarray(0, length))),
        InvalidSafetensors
      )
    }
  })
})

describe("cases", () => {
  const w = '"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
  const fault = (header: string | Uint8Array, bytes: ReadonlyArray<number> = [0, 0, 0, 0]) => {
    const error = thrown(() => Safetensors.decode(fileOf(header, bytes)))
    assert.instanceOf(error, InvalidSafetensors)
    return [error.fault, error.offset, error.tensor, error.expected, error.found]
  }

  it("a file without tensors is empty", () => {
    assert.deepStrictEqual(Safetensors.decode(fileOf("{}")), { tensors: [], metadata: {} })
  })

  it("spaces around every token are JSON's", () => {
    const header =
      '{ "__metadata__" : { "a" : "b" } ,\n\t"w" : { "dtype" : "F32" , "shape" : [ ] , "data_offsets" : [ 0 , 4 ] } }\r\n '
    assert.deepStrictEqual(Safetensors.decode(fileOf(header, [0, 0, 128, 63])), {
      tensors: [{ name: "w", dtype: "F32", shape: [], bytes: Uint8Array.of(0, 0, 128, 63) }],
      metadata: { a: "b" }
    })
  })

  it("tensors come in the order of their data, whatever the order of the header", () => {
    const header =
      '{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    const { tensors } = Safetensors.decode(fileOf(header, [7, 8]))
    assert.deepStrictEqual(
      tensors.map(({ bytes, name }) => [name, bytes[0]]),
      [
        ["a", 7],
        ["b", 8]
      ]
    )
  })

  it("an unaligned file is read through copies", () => {
    const bytes = fileOf(`{${w}} `, [0, 0, 128, 63])
    const [entry] = Safetensors.decode(bytes).tensors
    assert.isDefined(entry)
    assert.notStrictEqual(entry.bytes.byteOffset % 4, 0)
    assert.deepStrictEqual(host(entry), Float32Array.of(1))
  })

  it("a Buffer decodes to plain bytes", () => {
    const [entry] = Safetensors.decode(Buffer.from(small())).tensors
    assert.strictEqual(entry?.bytes.constructor, Uint8Array)
  })

  it("a name such as constructor is a name, and metadata has no inherited keys written", () => {
    const header = `{"__metadata__":{"constructor":"c"},${w.replace('"w"', '"toString"')}}`
    const file = Safetensors.decode(fileOf(header, [0, 0, 0, 0]))
    assert.deepStrictEqual(Object.entries(file.metadata), [["constructor", "c"]])
    assert.strictEqual(file.tensors[0]?.name, "toString")
  })

  it("decode fails when the file ends within the length of the header", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(Uint8Array.of(1, 2, 3))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        "  byte 3   expected at least 8 bytes   found 3",
        "The file is incomplete: write or copy it again."
      ].join("\n")
    )
  })

  it("decode fails when the file ends within the header", () => {
    const error = thrown(() => Safetensors.decode(small().subarray(0, 20)))
    assert.instanceOf(error, InvalidSafetensors)
    assert.deepStrictEqual(
      [error.fault, error.offset, error.expected, error.found],
      ["Truncated", 20, "at least 96 bytes", "20"]
    )
  })

  it("decode fails when the file ends within the data", () => {
    assert.deepStrictEqual(fault(`{${w}}`, [0, 0]), ["Truncated", 64, undefined, "4 bytes of data", "2"])
  })

  it("decode fails on bytes of another kind, whose first eight are no length of a header", () => {
    const text = new TextEncoder().encode("this is a plain text file")
    assert.strictEqual(
      messageOf(() => Safetensors.decode(text)),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        "  byte 0   expected the length of a header, at most 17   found 2338328219631577204",
        "This is not a safetensors file, or its first bytes are damaged: look whether it is the right file."
      ].join("\n")
    )
    const huge = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255)
    const error = thrown(() => Safetensors.decode(huge))
    assert.instanceOf(error, InvalidSafetensors)
    assert.deepStrictEqual([error.fault, error.found], ["HeaderLength", "18446744073709551615"])
  })

  it("decode fails when the header is longer than allowed, before anything is read", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(small(), { maxHeaderBytes: 10 })),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        "  byte 0   expected a header of at most 10 bytes   found 88",
        "Raise maxHeaderBytes if the file can be trusted."
      ].join("\n")
    )
  })

  it("decode fails when the header is no JSON object", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf("[]"))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        "  byte 8   expected '{'   found '['",
        "The file is damaged, or it is not a safetensors file."
      ].join("\n")
    )
    assert.deepStrictEqual(fault(""), ["HeaderSyntax", 8, undefined, "'{'", "the end of the header"])
    assert.deepStrictEqual(fault(" {}"), ["HeaderSyntax", 8, undefined, "'{'", "byte 0x20"])
    assert.deepStrictEqual(fault("{"), ["HeaderSyntax", 9, undefined, "'\"'", "the end of the header"])
    assert.deepStrictEqual(fault("{}x"), ["HeaderSyntax", 10, undefined, "the end of the header", "'x'"])
    assert.deepStrictEqual(fault(`{${w},}`), ["HeaderSyntax", 62, undefined, "'\"'", "'}'"])
    assert.deepStrictEqual(fault(`{${w};}`), ["HeaderSyntax", 61, undefined, "'}'", "';'"])
    assert.deepStrictEqual(fault('{"w" {'), ["HeaderSyntax", 13, undefined, "':'", "'{'"])
    assert.deepStrictEqual(fault('{"w":4}'), ["HeaderSyntax", 13, "w", "'{'", "'4'"])
  })

  it("decode fails on strings that are not JSON's", () => {
    assert.deepStrictEqual(fault('{"w'), [
      "HeaderSyntax",
      11,
      undefined,
      "the end of a string",
      "the end of the header"
    ])
    assert.deepStrictEqual(fault('{"w\\'), [
      "HeaderSyntax",
      12,
      undefined,
      "the end of a string",
      "the end of the header"
    ])
    assert.deepStrictEqual(fault('{"w\n":'), ["HeaderSyntax", 11, undefined, "a character of a string", "byte 0x0a"])
    assert.deepStrictEqual(fault('{"\\x":'), ["HeaderSyntax", 10, undefined, "a JSON string", "an invalid escape"])
  })

  it("decode fails on names that are no Unicode text", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a)))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        "  byte 10   expected valid UTF-8   found bytes that are not",
        "The file is damaged, or it is not a safetensors file."
      ].join("\n")
    )
    assert.deepStrictEqual(fault('{"\\ud800":'), [
      "HeaderEncoding",
      10,
      undefined,
      "well-formed Unicode",
      "a lone surrogate"
    ])
  })

  it("decode fails when a name, a field or a metadata key occurs twice", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf(`{${w},${w}}`, [0, 0, 0, 0]))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        '  byte 62   expected a name that did not occur before   found "w"',
        "Each name may occur once: write the file again with distinct names."
      ].join("\n")
    )
    assert.deepStrictEqual(fault('{"\\u0077":{"dtype":"F32","dtype":"F32"').slice(0, 3), ["DuplicateName", 33, "w"])
    assert.deepStrictEqual(fault('{"__metadata__":{"a":"","a":""}').slice(0, 3), ["DuplicateName", 32, undefined])
    assert.deepStrictEqual(fault('{"__metadata__":{},"__metadata__":{}').slice(0, 3), ["DuplicateName", 27, undefined])
  })

  it("decode fails on __proto__ anywhere", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf(`{${w.replace('"w"', '"__proto__"')}}`, [0, 0, 0, 0]))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        '  byte 9   expected a name other than __proto__   found "__proto__"',
        "Rename the tensor or key where the file is written."
      ].join("\n")
    )
    assert.deepStrictEqual(fault('{"__metadata__":{"__proto__":"x"}}').slice(0, 3), ["ForbiddenName", 25, undefined])
    assert.deepStrictEqual(fault('{"w":{"\\u005f_proto__":1').slice(0, 3), ["ForbiddenName", 14, "w"])
  })

  it("decode fails when a field is missing or unknown", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf('{"w":{"dtype":"F32","shape":[1]}}'))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        '  byte 9, tensor "w"   expected data_offsets   found none',
        "Each tensor has dtype, shape and data_offsets: write the file again."
      ].join("\n")
    )
    assert.deepStrictEqual(fault('{"w":{}}'), ["MissingField", 9, "w", "a dtype", "none"])
    assert.deepStrictEqual(fault('{"w":{"dtype":"F32"}}'), ["MissingField", 9, "w", "a shape", "none"])
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf('{"w":{"dtype":"F32","strides":[1]}}'))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        '  byte 28, tensor "w"   expected dtype, shape or data_offsets   found "strides"',
        "Each tensor has dtype, shape and data_offsets, and nothing else."
      ].join("\n")
    )
  })

  it("decode fails on a dtype it does not know", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf('{"w":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}'))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        '  byte 22, tensor "w"   expected one of BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64   found "F33"',
        "The file comes from a newer writer, or it is damaged."
      ].join("\n")
    )
    assert.deepStrictEqual(fault('{"w":{"dtype":7').slice(0, 2), ["UnknownDtype", 22])
    assert.deepStrictEqual(fault('{"w":{"dtype":"constructor"').slice(0, 2), ["UnknownDtype", 22])
  })

  it("decode fails on sizes that are no non-negative safe integers", () => {
    const expected = "an integer from 0 to 2^53 − 1"
    const shape = (size: string) => fault(`{"w":{"dtype":"F32","shape":[${size}],"data_offsets":[0,4]}}`)
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf('{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        `  byte 37, tensor "w"   expected ${expected}   found '-'`,
        "The header is damaged: write or copy the file again."
      ].join("\n")
    )
    assert.deepStrictEqual(shape("9007199254740992"), ["InvalidShape", 37, "w", expected, "9007199254740992"])
    assert.deepStrictEqual(shape("1".repeat(400)), ["InvalidShape", 37, "w", expected, "400 digits"])
    assert.deepStrictEqual(shape("01"), ["InvalidShape", 37, "w", expected, "01"])
    assert.deepStrictEqual(shape("1.0"), ["InvalidShape", 38, "w", "']'", "'.'"])
    assert.deepStrictEqual(shape("1e0"), ["InvalidShape", 38, "w", "']'", "'e'"])
    assert.deepStrictEqual(shape("[]"), ["InvalidShape", 37, "w", expected, "'['"])
    assert.deepStrictEqual(shape("1,"), ["InvalidShape", 39, "w", expected, "']'"])
    assert.deepStrictEqual(fault('{"w":{"dtype":"F32","shape":null'), ["InvalidShape", 36, "w", "'['", "'n'"])
  })

  it("decode fails on a rank beyond 64", () => {
    const shape = (rank: number) =>
      `{"w":{"dtype":"U8","shape":[${Array<number>(rank).fill(1).join()}],"data_offsets":[0,1]}}`
    assert.deepStrictEqual(Safetensors.decode(fileOf(shape(64), [1])).tensors[0]?.shape.length, 64)
    assert.deepStrictEqual(fault(shape(65), [1]), ["InvalidShape", 164, "w", "at most 64 integers", "more"])
  })

  it("decode fails when a shape has more elements than can be counted", () => {
    const header = '{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}'
    assert.deepStrictEqual(fault(header), [
      "InvalidShape",
      9,
      "w",
      "a whole number of bytes below 2^53",
      "F32 [4294967296, 4294967296]"
    ])
    const nibble = '{"w":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}'
    assert.deepStrictEqual(fault(nibble, [0]), ["InvalidShape", 9, "w", "a whole number of bytes below 2^53", "F4 [1]"])
  })

  it("decode fails on offsets that are not two integers", () => {
    const offsets = (text: string) => fault(`{"w":{"dtype":"F32","shape":[1],"data_offsets":${text}}}`)
    assert.deepStrictEqual(offsets("[0]"), ["InvalidOffsets", 55, "w", "two integers", "another number of them"])
    assert.deepStrictEqual(offsets("[0,4,8]"), ["InvalidOffsets", 55, "w", "two integers", "another number of them"])
    assert.deepStrictEqual(offsets("[0,4,8,12]"), ["InvalidOffsets", 62, "w", "at most 3 integers", "more"])
    assert.deepStrictEqual(offsets("[0,-4]").slice(0, 3), ["InvalidOffsets", 58, "w"])
    assert.deepStrictEqual(offsets("4").slice(0, 3), ["InvalidOffsets", 55, "w"])
  })

  it("decode fails on offsets out of range, overlapping, with holes, reversed, not as long as dtype and shape say", () => {
    const two = (first: string, second: string) =>
      fault(
        `{"a":{"dtype":"U8","shape":[2],"data_offsets":[${first}]},"b":{"dtype":"U8","shape":[2],"data_offsets":[${second}]}}`,
        [1, 2, 3, 4]
      )
    assert.strictEqual(
      messageOf(() =>
        Safetensors.decode(
          fileOf('{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}}', Array<number>(20).fill(0))
        )
      ),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        '  byte 9, tensor "w"   expected 24 bytes for F32 [2, 3]   found [0, 20]',
        "Tensors fill the data without gaps and overlaps: write or copy the file again."
      ].join("\n")
    )
    assert.deepStrictEqual(two("0,2", "1,3"), [
      "InvalidOffsets",
      61,
      "b",
      "data that begins at 2, where the tensor before it ends",
      "[1, 3]"
    ])
    assert.deepStrictEqual(two("0,2", "0,2"), [
      "InvalidOffsets",
      61,
      "b",
      "data that begins at 2, where the tensor before it ends",
      "[0, 2]"
    ])
    assert.deepStrictEqual(two("0,2", "3,5"), [
      "InvalidOffsets",
      61,
      "b",
      "data that begins at 2, where the tensor before it ends",
      "[3, 5]"
    ])
    assert.deepStrictEqual(two("1,3", "3,5"), [
      "InvalidOffsets",
      9,
      "a",
      "data that begins at 0, where the tensor before it ends",
      "[1, 3]"
    ])
    assert.deepStrictEqual(two("0,2", "2,1"), ["InvalidOffsets", 61, "b", "2 bytes for U8 [2]", "[2, 1]"])
    assert.deepStrictEqual(two("0,2", "2,9007199254740991"), [
      "InvalidOffsets",
      61,
      "b",
      "2 bytes for U8 [2]",
      "[2, 9007199254740991]"
    ])
  })

  it("decode fails on data that no tensor owns", () => {
    assert.deepStrictEqual(fault(`{${w}}`, [0, 0, 0, 0, 9]), ["InvalidOffsets", 66, undefined, "4 bytes of data", "5"])
  })

  it("decode fails when metadata is not text", () => {
    assert.strictEqual(
      messageOf(() => Safetensors.decode(fileOf('{"__metadata__":{"step":5}}'))),
      [
        "Safetensors.decode: these bytes are not a valid safetensors file",
        "  byte 32   expected '\"'   found '5'",
        "__metadata__ maps strings to strings: put other values into it as JSON text."
      ].join("\n")
    )
    assert.deepStrictEqual(fault('{"__metadata__":null}').slice(0, 2), ["InvalidMetadata", 24])
  })

  it("messages cut long names and show no control characters", () => {
    const header = `{"${"x".repeat(1000)}\\u001b":{}}`
    const message = messageOf(() => Safetensors.decode(fileOf(header)))
    assert.strictEqual(message.split("\n")[1], `  byte 9, tensor "${"x".repeat(80)}…"   expected a dtype   found none`)
    assert.include(
      messageOf(() => Safetensors.decode(fileOf('{"\\u001b":{}}'))),
      'tensor "\\u001b"'
    )
  })

  it("encode fails on a name that is used twice", () => {
    const w = Safetensors.fromHost("w", { shape: [], data: Float32Array.of(1) })
    assert.strictEqual(
      messageOf(() => Safetensors.encode({ tensors: [w, w] })),
      [
        "Safetensors.encode: an entry that cannot be written",
        '  "w"   expected a name that is used once   found a second tensor of that name',
        "Names are unique, well-formed and neither __metadata__ nor __proto__; bytes fit dtype and shape."
      ].join("\n")
    )
  })

  it("encode fails on names and shapes that decode would refuse, and on bytes that do not fit", () => {
    const failure = (name: string, shape: ReadonlyArray<number>, data = Float32Array.of(1)) => {
      const error = thrown(() => Safetensors.encode({ tensors: [Safetensors.fromHost(name, { shape, data })] }))
      assert.instanceOf(error, InvalidEntry)
      return [error.entry, error.expected, error.found]
    }
    assert.deepStrictEqual(failure("__metadata__", []), ["__metadata__", "another name", '"__metadata__"'])
    assert.deepStrictEqual(failure("__proto__", []), ["__proto__", "another name", '"__proto__"'])
    assert.deepStrictEqual(failure("\ud800", []), ["\ud800", "a well-formed name", "a lone surrogate"])
    assert.deepStrictEqual(failure("w", [-1]), ["w", "a shape of non-negative integers", "[-1]"])
    assert.deepStrictEqual(failure("w", [0.5]), ["w", "a shape of non-negative integers", "[0.5]"])
    assert.deepStrictEqual(failure("w", [2]), ["w", "8 bytes for F32 [2]", "4"])
    assert.deepStrictEqual(failure("w", [2 ** 40, 2 ** 40]), [
      "w",
      "too many bytes for F32 [1099511627776, 1099511627776]",
      "4"
    ])
  })

  it("encode fails on metadata that cannot be read back", () => {
    const failure = (metadata: Record<string, string>) => {
      const error = thrown(() => Safetensors.encode({ tensors: [], metadata }))
      assert.instanceOf(error, InvalidEntry)
      return [error.entry, error.expected, error.found]
    }
    assert.deepStrictEqual(failure(Object.fromEntries([["__proto__", "x"]])), [
      "__proto__",
      "another metadata key",
      '"__proto__"'
    ])
    assert.deepStrictEqual(failure({ a: "\udc00" }), ["a", "well-formed metadata", "a lone surrogate"])
    assert.deepStrictEqual(failure(JSON.parse('{"step":5}') as Record<string, string>), [
      "step",
      "metadata that is a string",
      "number"
    ])
  })

  it("toHost fails on types that tfjs does not have", () => {
    const entry = byName(Safetensors.decode(fixture("others")))["i64"]
    assert.isDefined(entry)
    const error = thrown(() => Safetensors.toHost(entry))
    assert.instanceOf(error, UnsupportedDtype)
    assert.strictEqual(
      error.message,
      [
        "Safetensors.toHost: an element type that this operation does not read",
        '  "i64"   expected F32, I32, BOOL   found I64',
        "F16, BF16 and F64 become float32 with Safetensors.toFloat32; convert other types where the file is written."
      ].join("\n")
    )
    assert.instanceOf(
      thrown(() => Safetensors.toFloat32(entry)),
      UnsupportedDtype
    )
  })

  it("toHost fails on a bool that is neither 0 nor 1", () => {
    const entry = { name: "mask", dtype: "BOOL", shape: [3], bytes: Uint8Array.of(0, 1, 255) } as const
    const error = thrown(() => Safetensors.toHost(entry))
    assert.instanceOf(error, InvalidBool)
    assert.strictEqual(
      error.message,
      [
        "Safetensors.toHost: a BOOL tensor that holds something else",
        '  "mask", element 2   expected 0 or 1   found 255',
        "The file is damaged: write or copy it again."
      ].join("\n")
    )
  })
})

describe("numbers", () => {
  const tfjs: ReadonlyArray<Safetensors.Entry> = [
    Safetensors.fromHost("layers.0.w", {
      shape: [2, 3],
      data: Float32Array.of(1, -0, Infinity, -Infinity, 1e-45, 3.4028235e38)
    }),
    Safetensors.fromHost("layers.0.b", { shape: [], data: Float32Array.of(0.1) }),
    Safetensors.fromHost("none", { shape: [0, 4], data: new Float32Array(0) }),
    Safetensors.fromHost("count", { shape: [4], data: Int32Array.of(0, -1, 2147483647, -2147483648) }),
    Safetensors.fromHost("mask", { shape: [1, 3], data: Uint8Array.of(1, 0, 1) }),
    Safetensors.fromHost('grüß "\\\n😀', { shape: [1], data: Float32Array.of(7) }),
    Safetensors.fromHost("～", { shape: [1], data: Float32Array.of(8) }),
    Safetensors.fromHost("😀", { shape: [1], data: Float32Array.of(NaN) })
  ]

  it("encode gives the bytes of the reference writer", () => {
    const metadata = { note: 'naïve "quoted"\n' }
    assert.deepStrictEqual(Safetensors.encode({ tensors: tfjs, metadata }), fixture("tfjs"))
    assert.deepStrictEqual(Safetensors.encode({ tensors: [] }), fixture("empty"))
  })

  it("files of the reference writer with other types keep their bytes", () => {
    for (const name of ["others", "bf16"]) {
      assert.deepStrictEqual(Safetensors.encode(Safetensors.decode(fixture(name))), fixture(name))
    }
  })

  it("decode gives the numbers that the reference wrote", () => {
    const read = byName(Safetensors.decode(fixture("tfjs")))
    for (const entry of tfjs) {
      const found = read[entry.name]
      assert.isDefined(found)
      assert.deepStrictEqual(Safetensors.toHost(found), Safetensors.toHost(entry))
    }
  })

  it("toFloat32 converts what float32 can hold", () => {
    const read = byName(Safetensors.decode(fixture("others")))
    const float32 = (entry: Safetensors.Entry | undefined) => entry && [...Safetensors.toFloat32(entry).data]
    assert.deepStrictEqual(float32(read["f16"]), [1, -2.5, 65504, 2 ** -24, -0, Infinity, NaN])
    assert.deepStrictEqual(float32(read["f64"]), [1, Math.fround(0.1), Infinity, -0, -0, -Infinity, NaN])
    const bf16 = byName(Safetensors.decode(fixture("bf16")))["bf16"]
    assert.deepStrictEqual(float32(bf16), [1, -2.5, (2 - 2 ** -7) * 2 ** 127, -0, Infinity, NaN])
    const w = byName(Safetensors.decode(fixture("tfjs")))["layers.0.b"]
    assert.deepStrictEqual(float32(w), [Math.fround(0.1)])
  })
})
