/**
 * The loss curve as a picture: one SVG text that needs nothing else, light or dark as the viewer prefers.
 *
 * Every value is part of a thin line; over it, once there are enough of them, lies their moving average. Values that
 * are not finite leave a gap and are counted. Long runs are thinned to the outline that the pixels can show, so that
 * no spike is lost and the file stays small. Losses are taken to be float32 numbers.
 */
import { type Axis, ofSteps, ofValues, type Tick } from "./axis.ts"
import { type Curve, finiteRuns, type LossPoint, smooth, thin } from "./curve.ts"

export interface ChartOptions {
  readonly title: string
  /** What stands at the vertical axis. Default `loss`. */
  readonly label?: string | undefined
}

const width = 760
const height = 420
const frame = { left: 76, right: 84, top: 58, bottom: 56 }
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom }

/** Fewer points than this speak for themselves. */
const enoughToSmooth = 12

interface Axes {
  readonly x: Axis
  readonly y: Axis
}

/** The loss curve of a run, steps ascending, as the text of an SVG file. */
export const lossCurve = (curve: Curve, { label = "loss", title }: ChartOptions): string => {
  const runs = finiteRuns(curve)
  const finite = runs.flat()
  const axes = { x: ofSteps(curve.map(({ step }) => step)), y: ofValues(finite.map(({ loss }) => loss)) }
  const average = finite.length < enoughToSmooth ? [] : smooth(finite, Math.min(500, Math.ceil(finite.length / 40)))
  const lines = [
    ...open(title),
    ...axes.y.ticks.map((tick) => horizontal(tick, axes.y)),
    ...axes.x.ticks.map((tick) => vertical(tick, axes.x)),
    ...names(label),
    ...runs.map((run) => draw(average.length > 0 ? "raw" : "average", run, axes)),
    draw("average", average, axes),
    final(average.at(-1) ?? finite.at(-1), axes),
    ...legend(average.length > 0),
    gaps(curve.length - finite.length),
    "</svg>"
  ]
  return lines.filter((line) => line !== "").join("\n") + "\n"
}

const style = `<style>
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a }
  .title { font-size: 17px; font-weight: 600; fill: #1f2328 }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .value { font-weight: 600; fill: #0550ae }
  .warning { fill: #bc4c00; text-anchor: end }
  .paper { fill: #ffffff }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .raw { fill: none; stroke: #8db9f0; stroke-width: 1; stroke-linejoin: round }
  .average { fill: none; stroke: #0969da; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round }
  .raw.dot { fill: #8db9f0; stroke: none }
  .average.dot { fill: #0969da; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title { fill: #f0f6fc }
    .value { fill: #79c0ff }
    .warning { fill: #f0883e }
    .paper { fill: #0d1117 }
    .grid { stroke: #30363d }
    .raw { stroke: #1f4a85 }
    .average { stroke: #4493f8 }
    .raw.dot { fill: #1f4a85 }
    .average.dot { fill: #4493f8 }
  }
</style>`

const open = (title: string): ReadonlyArray<string> => [
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
  `<title>${escape(title)}</title>`,
  style,
  `<rect class="paper" width="${width}" height="${height}" rx="8"/>`,
  `<text class="title" x="${frame.left}" y="34">${escape(title)}</text>`
]

const names = (label: string): ReadonlyArray<string> => [
  `<text class="middle" x="${px(frame.left + inner.width / 2)}" y="${height - 14}">step</text>`,
  `<text class="middle" transform="translate(20 ${px(frame.top + inner.height / 2)}) rotate(-90)">${escape(label)}</text>`
]

const horizontal = ({ label, value }: Tick, axis: Axis): string => {
  const y = frame.top + (1 - axis.place(value)) * inner.height
  const line = `<path class="grid" d="M${frame.left} ${px(y)}h${inner.width}"/>`
  return `${line}<text class="end" x="${frame.left - 10}" y="${px(y + 4)}">${label}</text>`
}

const vertical = ({ label, value }: Tick, axis: Axis): string => {
  const x = px(frame.left + axis.place(value) * inner.width)
  const bottom = frame.top + inner.height
  return `<path class="grid" d="M${x} ${bottom}v5"/><text class="middle" x="${x}" y="${bottom + 20}">${label}</text>`
}

/** A line through the points; a single one is a dot. */
const draw = (name: string, curve: Curve, axes: Axes): string => {
  const points = curve.length > 2 * inner.width ? thin(curve, (step) => Math.floor(left(axes, step))) : curve
  const [first, second] = points
  if (first === undefined) return ""
  if (second === undefined) return dot(name, first, axes)
  const path = points.map(({ loss, step }) => `${px(left(axes, step))} ${px(top(axes, loss))}`).join("L")
  return `<path class="${name}" d="M${path}"/>`
}

const dot = (name: string, { loss, step }: LossPoint, axes: Axes): string =>
  `<circle class="${name} dot" cx="${px(left(axes, step))}" cy="${px(top(axes, loss))}" r="3.5"/>`

/** The last value, marked and written beside its point. */
const final = (point: LossPoint | undefined, axes: Axes): string => {
  if (point === undefined) return ""
  const x = px(left(axes, point.step) + 9)
  const text = `<text class="value" x="${x}" y="${px(top(axes, point.loss) + 4)}">${Number(point.loss.toPrecision(3))}</text>`
  return dot("average", point, axes) + text
}

const legend = (smoothed: boolean): ReadonlyArray<string> => {
  if (!smoothed) return []
  const entry = (name: string, text: string, x: number) =>
    `<path class="${name}" d="M${x} 30h20"/><text x="${x + 26}" y="34">${text}</text>`
  return [entry("raw", "each step", 480), entry("average", "moving average", 576)]
}

const gaps = (count: number): string => {
  if (count === 0) return ""
  const text = count === 1 ? "1 value is not finite" : `${count} values are not finite`
  return `<text class="warning" x="${width - 16}" y="${height - 14}">${text}</text>`
}

const left = ({ x }: Axes, step: number): number => frame.left + x.place(step) * inner.width

const top = ({ y }: Axes, loss: number): number => frame.top + (1 - y.place(loss)) * inner.height

const px = (value: number): string => String(Math.round(value * 10) / 10)

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
