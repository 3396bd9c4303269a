import { DATA_TYPES, encodeModel, type DataType } from './proto.js';

type Attribute = number | string | readonly number[] | { float: number };

interface NodeOptions {
  attributes?: Readonly<Record<string, Attribute>>;
  outputs?: number;
  /** The set of operators that the type belongs to; ONNX's own unless given. */
  domain?: 'com.microsoft';
}

/** Where a tensor lies in a file beside the model. */
export interface ExternalData {
  location: string;
  offset: number;
  length: number;
}

const IR_VERSION = 9;
/** The last set whose reductions take their axes as an attribute. */
const OPERATOR_SET = 17;

/** Writes one ONNX model: nodes in the order in which they are added, values by generated names. */
export class OnnxModelBuilder {
  private readonly nodes: unknown[] = [];
  private readonly initializers: unknown[] = [];
  private readonly inputs: unknown[] = [];
  private readonly outputs: unknown[] = [];
  private readonly constants = new Map<string, string>();
  private names = 0;

  /** @returns the names of its outputs */
  node(type: string, inputs: readonly string[], { attributes = {}, outputs = 1, domain }: NodeOptions = {}): string[] {
    const output = Array.from({ length: outputs }, () => this.freshName());
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.nodes.push({ op_type: type, input: [...inputs], output, attribute, domain });
    return output;
  }

  input(name: string, type: DataType, shape: readonly (number | string)[]): string {
    this.inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Makes a value an output of the model, under this name. */
  output(name: string, value: string, type: DataType, shape: readonly (number | string)[]): void {
    this.nodes.push({ op_type: 'Identity', input: [value], output: [name] });
    this.outputs.push(valueInfo(name, type, shape));
  }

  external(name: string, shape: readonly number[], { location, offset, length }: ExternalData): string {
    const external_data = Object.entries({ location, offset, length }).map(([key, value]) => ({
      key,
      value: String(value),
    }));
    this.initializers.push({ name, dims: shape, data_type: DATA_TYPES.float32, external_data, data_location: 1 });
    return name;
  }

  /** A list of whole numbers; equal lists are stored once. */
  integers(values: readonly number[]): string {
    const raw_data = Buffer.from(BigInt64Array.from(values, BigInt).buffer);
    return this.constant(`integers ${values.join(' ')}`, {
      dims: [values.length],
      data_type: DATA_TYPES.int64,
      raw_data,
    });
  }

  /** One number, without dimensions. */
  scalar(value: number): string {
    const raw_data = Buffer.from(Float32Array.of(value).buffer);
    return this.constant(`scalar ${value}`, { dims: [], data_type: DATA_TYPES.float32, raw_data });
  }

  encode(): Uint8Array {
    return encodeModel({
      ir_version: IR_VERSION,
      producer_name: 'graft',
      graph: {
        name: 'graft',
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: this.outputs,
      },
      opset_import: [
        { domain: '', version: OPERATOR_SET },
        { domain: 'com.microsoft', version: 1 },
      ],
    });
  }

  private constant(key: string, tensor: Record<string, unknown>): string {
    const constant = this.constants.get(key);
    if (constant !== undefined) return constant;
    const name = this.freshName();
    this.initializers.push({ name, ...tensor });
    this.constants.set(key, name);
    return name;
  }

  private freshName(): string {
    return `v${this.names++}`;
  }
}

/** `AttributeProto`: a whole number is INT, `{float}` FLOAT, a text STRING, a list INTS. */
function attributeProto(name: string, value: Attribute): Record<string, unknown> {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
  if ('float' in value) return { name, type: 1, f: value.float };
  return { name, type: 7, ints: value };
}

const valueInfo = (name: string, type: DataType, shape: readonly (number | string)[]): Record<string, unknown> => ({
  name,
  type: {
    tensor_type: {
      elem_type: DATA_TYPES[type],
      shape: { dim: shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size })) },
    },
  },
});
