import type { ModelConfig } from './config.js';
import { familyOf } from './registry.js';
import { embeddingRole, headRole, normRole, type WeightSpec } from './weightSpec.js';

/** A model's weights by role. */
export class WeightTable {
  private readonly byRole: ReadonlyMap<string, WeightSpec>;
  private readonly byLayer: readonly (readonly WeightSpec[])[];

  constructor(readonly all: readonly WeightSpec[]) {
    this.byRole = new Map(all.map((spec) => [`${spec.layer ?? ''}.${spec.role}`, spec]));
    const layers: WeightSpec[][] = [];
    for (const spec of all) if (spec.layer !== null) (layers[spec.layer] ??= []).push(spec);
    this.byLayer = layers;
  }

  get embedding(): WeightSpec {
    return this.byRole.get(`.${embeddingRole}`)!;
  }

  /** The table that turns hidden states into logits; the embedding if the two are tied. */
  get head(): WeightSpec {
    return this.byRole.get(`.${headRole}`) ?? this.embedding;
  }

  /** The norm before the head. */
  get norm(): WeightSpec {
    return this.byRole.get(`.${normRole}`)!;
  }

  layer(index: number): readonly WeightSpec[] {
    return this.byLayer[index]!;
  }

  /** `role` is the name used by programs. */
  ofLayer(index: number, role: string): WeightSpec {
    const spec = this.byRole.get(`${index}.${role}`);
    if (!spec) throw new Error(`internal: layer ${index} has no ${role}`);
    return spec;
  }
}

const known = new WeakMap<ModelConfig, WeightTable>();

export function weightTable(config: ModelConfig): WeightTable {
  const table = known.get(config) ?? new WeightTable(familyOf(config).weights(config));
  known.set(config, table);
  return table;
}
