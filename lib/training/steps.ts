// Measures batches by an objective: as programs, one for each form of batch that comes again, or eagerly.
import { copyOf, Program, recordCalls } from '../graph/index.ts';
import type { Module } from '../nn/index.ts';
import { gradNorm, measureGradients } from '../optim/clip.ts';
import { noGrad, RecordingError, type Tensor, zeros } from '../tensor/index.ts';
import { formOfBatch, tensorsIn, withTensors } from './batch-form.ts';
import { ModelWatch } from './model-watch.ts';
import { type Carried, checkCount, type Measured } from './objective.ts';
import { generatorStates, restoreGenerators } from './state.ts';

/** Programs kept; each has memory for what a step makes. */
const mostPrograms = 8;
/** Forms remembered as seen once. */
const mostForms = 256;

/** What an objective may say of a batch. */
export type Said = Partial<Measured<unknown, unknown>>;

/** A program with the way from its outputs back to what the objective said. */
interface Step<R> {
  readonly program: Program;
  said(inputs: readonly Tensor[], outputs: readonly Tensor[]): R & Learnt;
}

/** What a step says besides the objective. */
interface Learnt {
  /** The length of all gradients together; 0 where there are none. */
  readonly gradNorm: number;
}

export interface StepsOptions {
  /** Parameters whose gradients are wanted: then `loss.backward()` belongs to a step, and sets their `grad`. */
  readonly parameters?: readonly Tensor[];
  /** Whether to record at all. */
  readonly programs: boolean;
}

/** One objective, for one batch after the other. */
export class Steps<B, R extends Said> {
  readonly #steps = new Map<string, Step<R>>();
  readonly #seen = new Set<string>();
  /** Memory of gradients, which all programs share. */
  readonly #gradients = new Map<Tensor, Float32Array>();
  readonly #parameters: readonly Tensor[];
  readonly #learns: boolean;
  #records: boolean;
  readonly #watch: ModelWatch;
  #revision = 0;

  constructor(
    private readonly model: Module,
    private readonly objective: (batch: B, carried?: Carried) => R,
    options: StepsOptions,
  ) {
    this.#watch = new ModelWatch(model);
    this.#records = options.programs;
    this.#parameters = options.parameters ?? [];
    this.#learns = options.parameters !== undefined;
  }

  /** What the objective says of a batch; with gradients, after `backward()` where the batch counts something. */
  async measure(batch: B, carried: Carried | undefined, signal?: AbortSignal): Promise<R & Learnt> {
    const form = this.#records ? formOfBatch(this.#state(), batch, carried) : undefined;
    if (form === undefined) return this.#eagerly(batch, carried);
    const step = this.#steps.get(form.key) ?? this.#firstStep(form.key, form.tensors, batch, carried);
    if (!('program' in step)) return step;
    return step.program.runInPlace(form.tensors, (outputs) => step.said(form.tensors, outputs), signal);
  }

  /** What of the model decides which kernels run. Forgets all programs once it is another model. */
  #state(): string {
    const { revision } = this.#watch;
    if (revision !== this.#revision) this.#steps.clear();
    this.#revision = revision;
    let learns = '';
    for (const { requiresGrad } of this.#parameters) learns += requiresGrad ? '1' : '0';
    return `${revision} ${this.#watch.modes} ${learns}`;
  }

  #eagerly(batch: B, carried: Carried | undefined): R & Learnt {
    if (!this.#learns) return { ...noGrad(() => this.objective(batch, carried)), gradNorm: 0 };
    for (const parameter of this.#parameters) parameter.grad = null;
    const said = this.objective(batch, carried);
    if (counts(said) && Number.isFinite(said.loss?.item())) said.loss?.backward();
    return { ...said, gradNorm: gradNorm(this.#parameters) };
  }

  /** The first batch of a form is measured eagerly, the second recorded; then there is a step for the next. */
  #firstStep(key: string, inputs: readonly Tensor[], batch: B, carried: Carried | undefined): (R & Learnt) | Step<R> {
    if (!this.#seen.has(key)) {
      this.#seen.add(key);
      const [oldest] = this.#seen;
      if (this.#seen.size > mostForms && oldest !== undefined) this.#seen.delete(oldest);
      return this.#eagerly(batch, carried);
    }
    const undo = snapshot(this.model);
    try {
      const step = this.#record(inputs, batch, carried);
      undo(); // what the recording did to generators and running means is the program's to do
      this.#steps.set(key, step);
      const [oldest] = this.#steps.keys();
      if (this.#steps.size > mostPrograms && oldest !== undefined) this.#steps.delete(oldest);
      return step;
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error;
      undo();
      this.#records = false;
      return this.#eagerly(batch, carried);
    }
  }

  #record(inputs: readonly Tensor[], batch: B, carried: Carried | undefined): Step<R> {
    const learns = this.#learns;
    for (const parameter of this.#parameters) parameter.grad = null;
    const outputs: Tensor[] = [];
    const results = new Map<number, Float32Array>();
    const work = () => {
      const said = this.objective(batch, carried);
      if (learns && counts(said)) said.loss?.backward();
      return { said, norm: measureGradients(this.#parameters) };
    };
    const trained: Tensor[] = [];
    const recorded = recordCalls(learns ? work : () => noGrad(work), inputs, ({ said }) => {
      outputs.push(...tensorsIn(said, inputs));
      for (const parameter of this.#parameters) {
        if (parameter.grad === null) continue;
        if (!this.#gradients.has(parameter)) this.#gradients.set(parameter, new Float32Array(parameter.size));
        results.set(outputs.length, this.#gradients.get(parameter)!);
        outputs.push(parameter.grad);
        trained.push(parameter);
      }
      return outputs;
    });
    const program = new Program(recorded, { weightsChange: learns, results });
    const { said, norm } = recorded.result;
    const firstGradient = outputs.length - trained.length;
    // What was said with an empty tensor in the place of each, so that those of the recording can go.
    const places = new Map<Tensor, { readonly output: number; readonly input: number }>();
    const form = withTensors(said, (tensor) => {
      const place = zeros([0]);
      places.set(place, { output: outputs.indexOf(tensor), input: inputs.indexOf(tensor) });
      return place;
    });
    return {
      program,
      said(given, made) {
        const now = (place: Tensor): Tensor => {
          const { output, input } = places.get(place)!;
          return input < 0 ? copyOf(made[output]!) : given[input]!;
        };
        for (const [i, parameter] of trained.entries()) parameter.grad = made[firstGradient + i] ?? null;
        return { ...withTensors(form, now), gradNorm: norm() };
      },
    };
  }
}

/** Whether there is something to learn from. */
const counts = ({ count = 0 }: Said): boolean => checkCount(count) > 0;

/** The numbers that measuring changes besides gradients: buffers and generators. @returns what restores them. */
function snapshot(model: Module): () => void {
  const buffers = [...model.namedBuffers().values()].map((buffer) => [buffer, buffer.data.slice()] as const);
  const generators = generatorStates(model);
  return () => {
    for (const [buffer, data] of buffers) {
      buffer.data.set(data);
      buffer.touch();
    }
    restoreGenerators(model, generators);
  };
}
