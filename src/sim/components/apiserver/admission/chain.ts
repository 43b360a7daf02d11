// Runs the enabled plugins in upstream's order (pkg/kubeapiserver/options/plugins.go).
import { Refusal } from '../refusal.ts'
import type { KubeApiserverConfig } from '../types.ts'
import { ADMISSION_PLUGINS, OFF_BY_DEFAULT } from './plugins.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const chains = new WeakMap<KubeApiserverConfig, readonly AdmissionPlugin[]>()

function enabled(config: KubeApiserverConfig): readonly AdmissionPlugin[] {
  let chain = chains.get(config)
  if (!chain) {
    chain = ADMISSION_PLUGINS.filter((p) =>
      OFF_BY_DEFAULT.has(p.name) ? (config.enabledAdmission ?? []).includes(p.name) : !(config.disabledAdmission ?? []).includes(p.name),
    )
    chains.set(config, chain)
  }
  return chain
}

function guarded(plugin: AdmissionPlugin, a: Attributes, body: () => void): void {
  try {
    body()
  } catch (error) {
    if (error instanceof Refusal)
      a.rq.notes.push({ kind: 'apiserver.admission.denied', plugin: plugin.name, message: error.status.message ?? '' })
    throw error
  }
}

export function mutate(a: Attributes): void {
  for (const plugin of enabled(a.rq.config)) {
    if (!plugin.admit || !plugin.handles(a)) continue
    guarded(plugin, a, () => {
      const what = plugin.admit?.(a)
      if (what !== undefined) a.rq.notes.push({ kind: 'apiserver.admission.mutated', plugin: plugin.name, what })
    })
  }
}

export function validate(a: Attributes): void {
  for (const plugin of enabled(a.rq.config)) if (plugin.validate && plugin.handles(a)) guarded(plugin, a, () => plugin.validate?.(a))
}
