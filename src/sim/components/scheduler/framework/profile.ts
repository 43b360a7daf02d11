// The default profile: which plugins run, in which order (pkg/scheduler/apis/config/v1/default_plugins.go).
import { dynamicResources } from '../plugins/dynamicresources/plugin.ts'
import { imageLocality } from '../plugins/imagelocality/plugin.ts'
import { interPodAffinity } from '../plugins/interpodaffinity/plugin.ts'
import { nodeAffinity } from '../plugins/nodeaffinity/plugin.ts'
import { nodeName } from '../plugins/nodename/plugin.ts'
import { nodePorts } from '../plugins/nodeports/plugin.ts'
import { nodeResourcesBalancedAllocation } from '../plugins/noderesources/balanced.ts'
import { nodeResourcesFit } from '../plugins/noderesources/fit.ts'
import { nodeUnschedulable } from '../plugins/nodeunschedulable/plugin.ts'
import { nodeVolumeLimits } from '../plugins/nodevolumelimits/plugin.ts'
import { podTopologySpread } from '../plugins/podtopologyspread/plugin.ts'
import { taintToleration } from '../plugins/tainttoleration/plugin.ts'
import { volumeBinding } from '../plugins/volumebinding/plugin.ts'
import { volumeRestrictions } from '../plugins/volumerestrictions/plugin.ts'
import { volumeZone } from '../plugins/volumezone/plugin.ts'
import { PLUGIN_WEIGHTS } from './names.ts'
import type { Plugin } from './types.ts'

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler'

export const PLUGINS: readonly Plugin[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeRestrictions,
  nodeVolumeLimits,
  volumeBinding,
  volumeZone,
  podTopologySpread,
  interPodAffinity,
  dynamicResources,
  nodeResourcesBalancedAllocation,
  imageLocality,
]

export const FILTER_PLUGINS = PLUGINS.filter((p) => p.filter)
export const PRE_FILTER_PLUGINS = PLUGINS.filter((p) => p.preFilter)
export const SCORE_PLUGINS = PLUGINS.filter((p) => p.score).map((plugin) => ({ plugin, weight: PLUGIN_WEIGHTS[plugin.name] ?? 1 }))
