import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { lossCurve } from "../../chart/lossCurve.ts"
import type { Curve } from "../../chart/curve.ts"

const curveOf = (losses: ReadonlyArray<number>): Curve => losses.map((loss, step) => ({ step, loss }))

const chart = (losses: ReadonlyArray<number>, title = "loss"): string => lossCurve(curveOf(losses), { title })

const labels = (svg: string, side: "end" | "middle"): ReadonlyArray<string | undefined> =>
  [...svg.matchAll(new RegExp(`<text class="${side}" x="[^"]*" y="[^"]*">([^<]*)<`, "g"))].map(([, label]) => label)

/** The points of the lines of a class, in pixels. */
const lines = (svg: string, name: string): ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>> =>
  [...svg.matchAll(new RegExp(`<path class="${name}" d="M([-0-9. L]+)"`, "g"))].map(([, path = ""]) =>
    path.split("L").map((point) => point.split(" ").map(Number))
  )

const bumpy = (length: number): Array<number> => Array.from({ length }, (_, step) => 2 + Math.sin(step * 2.4))

describe("laws", () => {
  it("whatever the losses of float32 tensors, the picture has no number that is none, and stays within its paper", () => {
    const loss = fc.oneof(fc.float(), fc.float({ min: 0, max: 10, noNaN: true }), fc.constant(Number.NaN))
    const law = fc.property(fc.array(loss, { maxLength: 60 }), (losses) => {
      const svg = chart(losses)
      assert.notMatch(svg, /NaN|Infinity|undefined/)
      for (const line of ["raw", "average"].flatMap((name) => lines(svg, name))) {
        for (const [x = Number.NaN, y = Number.NaN] of line) {
          assert.isTrue(x >= 0 && x <= 760 && y >= 0 && y <= 420, `${x} ${y}`)
        }
      }
    })
    fc.assert(law, { seed: 20, numRuns: 500 })
  })
})

describe("cases", () => {
  it("the picture is one SVG text without links, with ticks on both axes", () => {
    const svg = chart([4, 3, 2, 1, 0])
    assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" [^>]*>\n[\s\S]*<\/svg>\n$/)
    assert.notMatch(svg, /href|url\(|<script/)
    assert.deepStrictEqual(labels(svg, "end"), ["0", "1", "2", "3", "4"])
    assert.deepStrictEqual(labels(svg, "middle"), ["0", "1", "2", "3", "4", "step"])
  })

  it("lower losses are drawn lower, later ones further right", () => {
    assert.deepStrictEqual(lines(chart([4, 2, 0]), "average"), [
      [
        [76, 58],
        [376, 211],
        [676, 364]
      ]
    ])
  })

  it("losses over more than a decade and a half are drawn on a logarithmic axis", () => {
    assert.deepStrictEqual(labels(chart([1, 0.1, 0.01]), "end"), ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"])
    assert.deepStrictEqual(
      lines(chart([1, 0.1, 0.01]), "average")[0]?.map(([, y]) => y),
      [58, 211, 364]
    )
  })

  it("one loss is a dot with its value", () => {
    const svg = chart([0.7])
    assert.match(svg, /<circle class="average dot"/)
    assert.match(svg, /<text class="value"[^>]*>0.7</)
    assert.deepStrictEqual(labels(svg, "middle"), ["0", "1", "step"])
  })

  it("equal losses are a level line with room on both sides", () => {
    const [line] = lines(chart([2, 2, 2]), "average")
    assert.deepStrictEqual(
      line?.map(([, y]) => y),
      [211, 211, 211]
    )
    assert.deepStrictEqual(labels(chart([2, 2, 2]), "end"), ["1.0", "1.5", "2.0", "2.5", "3.0"])
    assert.deepStrictEqual(labels(chart([0, 0]), "end"), ["-1.0", "-0.5", "0", "0.5", "1.0"])
  })

  it("what is not finite leaves a gap and is counted", () => {
    const svg = chart([1, 2, Number.NaN, Infinity, 3, 4])
    assert.deepStrictEqual(
      lines(svg, "average").map((line) => line.length),
      [2, 2]
    )
    assert.match(svg, />2 values are not finite</)
    assert.match(chart([1, Number.NaN, 2]), />1 value is not finite</)
    assert.notMatch(chart([1, 2]), /finite/)
  })

  it("nothing to draw is an empty frame", () => {
    for (const losses of [[], [Number.NaN]]) {
      assert.deepStrictEqual(labels(chart(losses), "end"), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    }
  })

  it("many losses are drawn thin, their moving average over them", () => {
    const svg = chart(bumpy(100))
    assert.lengthOf(lines(svg, "raw")[0] ?? [], 100)
    const heights = (name: string) => lines(svg, name).flatMap((line) => line.map(([, y = 0]) => y))
    const span = (values: ReadonlyArray<number>) => Math.max(...values) - Math.min(...values)
    assert.isBelow(span(heights("average")), span(heights("raw")) / 2)
    assert.match(svg, />moving average</)
  })

  it("a long run is thinned without losing its spikes", () => {
    const losses = bumpy(100_000)
    losses[12_345] = 0
    losses[54_321] = 9
    const svg = chart(losses)
    assert.isBelow(svg.length, 100_000)
    const heights = lines(svg, "raw").flatMap((line) => line.map(([, y = 0]) => y))
    assert.deepStrictEqual([Math.min(...heights), Math.max(...heights)], [88.6, 364])
  })

  it("a title is text, whatever is in it", () => {
    assert.include(chart([1], 'a<b & "c"'), "<title>a&#60;b &#38; &#34;c&#34;</title>")
  })
})
