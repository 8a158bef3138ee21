import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { names } from "../optimizers.ts"
import { command, services } from "./support.ts"

/** A directory with the files that the command lines below name. */
const files = Effect.fnUntraced(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const rows = Array.from({ length: 40 }, (_, row) => `${row % 2},${row % 7},${row % 2}`)
  const table = ["a,b,label", ...rows].join("\n")
  yield* fs.writeFileString(`${directory}/rows.csv`, table)
  yield* fs.writeFileString(`${directory}/text.csv`, table.replace("1,1,1", "1,one,1"))
  yield* fs.writeFileString(`${directory}/other.csv`, table.replace("b", "c"))
  yield* fs.writeFileString(`${directory}/single.csv`, "a,label\n1,3\n2,3\n")
  yield* fs.writeFileString(`${directory}/chain.json`, '[{"clipByGlobalNorm":{"maxNorm":1}},"lion"]')
  yield* fs.writeFileString(`${directory}/notes.txt`, "not a checkpoint, but words about one")
  return directory
})

/** The command in the directory, with `@` for it, and with the names of files alone in what it prints. */
const inside = Effect.fnUntraced(function* (directory: string, args: ReadonlyArray<string>) {
  const plot = args.includes("--plot") ? [] : ["--plot", "@loss.svg"]
  const found = yield* command(...[...args, ...plot].map((arg) => arg.replace("@", `${directory}/`)))
  const short = (line: string) => line.replaceAll(`${directory}/`, "").replaceAll(directory, "DIRECTORY")
  return { ...found, out: found.out.map(short), err: found.err.map(short) }
})

const trained = ["--train", "@rows.csv", "--epochs", "2", "--batch", "8"]

/** Command lines, and what is said about them. */
const wrong = [
  [["--train", "@none.csv"], "cannot read none.csv: no such file"],
  [["--train", "@rows.csv", "--label", "class"], 'rows.csv has no column "class"; its columns are a, b, label'],
  [["--train", "@text.csv"], 'text.csv, line 3, column "b": expected a number, found "one"'],
  [["--train", "@single.csv"], "single.csv has too few rows to learn from: expected two classes or more"],
  [["--train", "@rows.csv", "--test", "@none.csv"], "cannot read none.csv: no such file"],
  [["--train", "@rows.csv", "--test", "@other.csv"], 'other.csv has no column "b"; its columns are a, c, label'],
  [["--test", "@rows.csv"], "--test goes with --train: give both files, or neither"],
  [["--label", "label"], "--label goes with --train: it names a column of that file"],
  [["--optimizer", "lions"], `--optimizer lions: there is no such optimizer; there are ${names.join(", ")}`],
  [
    ["--optimizer", "lion", "--options", '{"b3":0.5}'],
    '--options {"b3":0.5}: lion has no option "b3"; its options are learningRate, b1, b2, weightDecay, mask'
  ],
  [["--options", "b1=0.5"], "--options b1=0.5: expected a JSON object"],
  [
    ["--options", '{"stepSize":1}', "--step-size", "2"],
    '--options {"stepSize":1}: there is a step size already, so --step-size does nothing'
  ],
  [
    ["--optimizer", "rprop", "--schedule", "constant"],
    '--optimizer rprop: rprop: expected learningRate to be a number, found {"_tag":"Constant","stepSize":0.01}'
  ],
  [
    ["--chain", "@chain.json", "--optimizer", "lion"],
    "--chain goes without --optimizer and --options: it names what it consists of"
  ],
  [["--chain", "@none.json"], "--chain none.json: no such file"],
  [["--chain", "@notes.txt"], "--chain notes.txt: expected JSON"],
  [
    ["--chain", '[{"clip":{"maxDelta":1}},{"lion":{"b2":2}}]'],
    '--chain [{"clip":{"maxDelta":1}},{"lion":{"b2":2}}]: part 2: scaleByLion: b2 is 2, expected a number with 0 ≤ x < 1'
  ],
  [
    ["--chain", '["scaleByAdam"]', "--step-size", "1"],
    '--chain ["scaleByAdam"]: nothing in it has a learning rate, so --step-size does nothing'
  ],
  [["--chain", "@chain.json", "--checkpoint", "@chain.json"], "--checkpoint would overwrite the chain"],
  [["--chain", "@chain.json", "--plot", "@chain.json"], "--plot would overwrite another file of this run"],
  [["--step-size", "-0.1"], 'Invalid value for flag --step-size: "-0.1". Expected: a number above 0'],
  [
    ["--step-size", "small"],
    'Invalid value for flag --step-size: "small". Expected a string representing a finite number'
  ],
  [
    ["--schedule", "exponentialDecay:decaySteps"],
    "--schedule exponentialDecay:decaySteps: expected field=value, found decaySteps"
  ],
  [
    ["--step-size", "1", "--schedule", '{"_tag":"Constant","stepSize":1}'],
    "--step-size does not go with a --schedule in JSON, which has its own step sizes"
  ],
  [["--epochs", "-1"], 'Invalid value for flag --epochs: "-1". Expected: an integer, 0 or more'],
  [["--batch", "0"], 'Invalid value for flag --batch: "0". Expected: an integer, 1 or more'],
  [["--seed", "1.5"], 'Invalid value for flag --seed: "1.5". Expected an integer'],
  [["--seed", "1", "--seed", "2"], 'Invalid value for flag --seed: "2 occurrences". Expected: at most 1 value'],
  [["--backend", "abacus"], 'Invalid value for flag --backend: "abacus". Expected: "wasm" | "cpu"'],
  [["--epoch", "1"], "Unrecognized flag: --epoch; did you mean --epochs?"],
  [["--xyz", "--loud"], "Unrecognized flag: --xyz; Unrecognized flag: --loud"],
  [["digits.csv"], 'Unexpected positional argument: "digits.csv"'],
  [["--plot", "@nowhere/loss.svg"], "cannot write nowhere/loss.svg: nowhere is not a directory"],
  [["--plot", "@"], "cannot write : it is a directory"],
  [["--checkpoint", "@rows.csv/run"], "cannot write rows.csv/run: rows.csv is not a directory"],
  [["--checkpoint", "@rows.csv", "--train", "@rows.csv"], "--checkpoint would overwrite the data"],
  [["--checkpoint", "@run", "--plot", "@run"], "--plot would overwrite another file of this run"],
  [["--resume", "@none"], "cannot resume from none: no such file"],
  [["--resume", "@notes.txt"], "cannot resume from notes.txt: it is not a checkpoint, or it is damaged"],
  [
    ["--resume", "@run", "--optimizer", "sgd"],
    "run comes from a run with --optimizer adam: resume it so, or train anew"
  ],
  [
    ["--resume", "@run", "--seed", "1", "--batch", "9"],
    "run comes from a run with --batch 8, --seed 0: resume it so, or train anew"
  ]
] as const

layer(services)("cli", (it) => {
  describe("cases", () => {
    it.effect("a run says what it does, how well, how fast, and what it wrote", () =>
      Effect.gen(function* () {
        const directory = yield* files()
        const { code, err, out } = yield* inside(directory, [...trained, "--checkpoint", "@run"])
        assert.deepStrictEqual([code, err], [0, []])
        assert.deepStrictEqual(out.slice(0, 3), [
          "32 rows to train on, 8 to test on: 2 columns, 2 classes",
          "adam, step size 0.003, batches of 8, 2 epochs: 8 steps on wasm",
          "saved step 8 as run"
        ])
        assert.match(out[3] ?? "", /^test accuracy \d+\.\d\d %$/)
        assert.match(out[4] ?? "", /^\d+\.\d\d ms per step, \d+\.\d s for 8 steps$/)
        assert.deepStrictEqual(out.slice(5), ["loss curve in loss.svg"])
        const fs = yield* FileSystem.FileSystem
        assert.match(yield* fs.readFileString(`${directory}/loss.svg`), /^<svg .*<title>adam, step size 0\.003/s)
      })
    )
    it.effect("a run that is resumed ends in the same checkpoint as one that is not", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* files()
        const run = (...args: ReadonlyArray<string>) => inside(directory, ["--train", "@rows.csv", ...args])
        yield* run("--batch", "8", "--seed", "3", "--epochs", "5", "--checkpoint", "@whole")
        yield* run("--batch", "8", "--seed", "3", "--epochs", "2", "--checkpoint", "@part")
        const { out } = yield* run("--resume", "@part", "--epochs", "5", "--checkpoint", "@resumed")
        assert.strictEqual(out[1], "adam, step size 0.003, batches of 8, 5 epochs: 20 steps on wasm")
        assert.deepStrictEqual(yield* fs.readFile(`${directory}/resumed`), yield* fs.readFile(`${directory}/whole`))
      })
    )
    it.effect("options and chains make the run, and a resumed one goes on with them", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* files()
        const run = (...args: ReadonlyArray<string>) => inside(directory, ["--train", "@rows.csv", ...args])
        const asked = [
          [["--optimizer", "lion", "--options", '{"b1":0.8}'], "lion (b1 0.8), step size 0.001"],
          [["--chain", "@chain.json", "--step-size", "0.01"], "clipByGlobalNorm (maxNorm 1) + lion, step size 0.01"]
        ] as const
        for (const [args, words] of asked) {
          const { out } = yield* run(...args, "--epochs", "3", "--checkpoint", "@whole")
          assert.strictEqual(out[1], `${words}, batches of 32, 3 epochs: 3 steps on wasm`)
          yield* run(...args, "--epochs", "1", "--checkpoint", "@part")
          yield* run("--resume", "@part", "--epochs", "3", "--checkpoint", "@resumed")
          assert.deepStrictEqual(yield* fs.readFile(`${directory}/resumed`), yield* fs.readFile(`${directory}/whole`))
        }
      })
    )
    it.effect("a complete run that is resumed is only tested", () =>
      Effect.gen(function* () {
        const directory = yield* files()
        yield* inside(directory, [...trained, "--checkpoint", "@run"])
        const { code, out } = yield* inside(directory, ["--train", "@rows.csv", "--resume", "@run"])
        assert.match(out[2] ?? "", /^test accuracy/)
        assert.deepStrictEqual([code, out.slice(3)], [0, ["no steps were left to make"]])
      })
    )
    it.effect.each(["--help", "--version"])("%s ends well", (flag) =>
      Effect.gen(function* () {
        const { code, err, out } = yield* command(flag)
        assert.deepStrictEqual([code, err, out.length], [0, [], 1])
      })
    )
    it.effect("the -- of a package manager is passed over", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* command("--", "--version"), yield* command("--version"))
      })
    )
    it.effect("what is wrong is said in one line, and the code is 1", () =>
      Effect.gen(function* () {
        const directory = yield* files()
        yield* inside(directory, [...trained, "--checkpoint", "@run"])
        for (const [args, line] of wrong) {
          assert.deepStrictEqual(
            { args, ...(yield* inside(directory, args)) },
            { args, code: 1, out: [], err: [`digits: ${line}`] }
          )
        }
      })
    )
  })
})
