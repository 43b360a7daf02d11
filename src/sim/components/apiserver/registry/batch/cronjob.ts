// batch/v1 CronJob (pkg/registry/batch/cronjob, SetDefaults_CronJob, ValidateCronJobCreate).
import { parseCron, timeZoneError } from '../../../../api/cron.ts'
import type { FieldError } from '../../../../api/field.ts'
import { invalid, notSupported, required } from '../../../../api/field.ts'
import { formatLabelSelector } from '../../../../api/labels.ts'
import type { CronJobSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { ageColumn, column, containerCells, containersColumn, imagesColumn, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { ensureSpec, invalidSelector, nameWarnings, nonNegative, semanticEqual } from '../apps/common.ts'
import { dropDisabledTemplateFields } from '../pod/template.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { defaultJobSpecParts, jobSpecWarnings, validateJobSpecCommon } from './jobspec.ts'

/** The Job's name gets an 11 character suffix and must stay a DNS label. */
const maxNameLength = 52

function validateSchedule(spec: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const { schedule, timeZone } = spec
  if (!schedule) return [required('spec.schedule')]
  const parsed = parseCron(schedule)
  const errors = parsed.error === undefined ? [] : [invalid('spec.schedule', schedule, parsed.error)]
  const allowed = old?.schedule.includes('TZ') ?? false
  if (schedule.includes('TZ')) {
    if (!allowed) errors.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
    else if (timeZone !== undefined)
      errors.push(invalid('spec.schedule', schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
  }
  return errors
}

function validateTimeZone(timeZone: string | undefined): FieldError[] {
  const field = 'spec.timeZone'
  if (timeZone === undefined) return []
  if (timeZone === '') return [invalid(field, timeZone, 'timeZone must be nil or non-empty string')]
  for (const part of timeZone.split('/')) {
    if (part === '.' || part === '..' || part.startsWith('-') || !/^[A-Za-z.\-_0-9+]{1,14}$/.test(part)) {
      return [invalid(field, timeZone, `unknown time zone ${timeZone}`)]
    }
  }
  const errors: FieldError[] = []
  if (timeZone.toLowerCase() === 'local') {
    errors.push(invalid(field, timeZone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'))
  }
  const unknown = timeZoneError(timeZone)
  if (unknown !== undefined) errors.push(invalid(field, timeZone, unknown))
  return errors
}

function validateSpec(spec: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const errors = [...validateSchedule(spec, old), ...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds)]
  if (old === undefined || old.timeZone !== spec.timeZone) errors.push(...validateTimeZone(spec.timeZone))
  const policies = ['Allow', 'Forbid', 'Replace']
  if (!spec.concurrencyPolicy) errors.push(required('spec.concurrencyPolicy'))
  else if (!policies.includes(spec.concurrencyPolicy)) errors.push(notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy, policies))
  const template = spec.jobTemplate.spec
  if (template !== undefined) {
    errors.push(...validateJobSpecCommon(template, 'spec.jobTemplate.spec', old?.jobTemplate.spec?.template))
    if (template.selector !== undefined) {
      errors.push(invalidSelector('spec.jobTemplate.spec.selector', template.selector, '`selector` will be auto-generated'))
    }
    if (template.manualSelector === true) errors.push(notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']))
  }
  errors.push(...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit))
  errors.push(...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit))
  return errors
}

export const cronJob: KindStrategy = {
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  resource: 'cronjobs',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaultPropagation: 'Background',
  defaults(draft: KubeObject): void {
    ensureSpec(draft)
    const spec = draft.spec as CronJobSpec
    spec.jobTemplate ??= {}
    spec.jobTemplate.metadata ??= {}
    spec.jobTemplate.spec ??= { template: {} }
    defaultJobSpecParts(spec.jobTemplate.spec)
    spec.schedule ??= ''
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
  },
  prepareForCreate(draft) {
    draft.status = {}
    draft.metadata.generation = 1
    dropDisabledTemplateFields(draft.spec.jobTemplate.spec.template)
  },
  validate(draft) {
    const errors = [...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'), ...validateSpec(draft.spec, undefined)]
    const name = draft.metadata.name ?? ''
    if (name.length > maxNameLength) errors.push(invalid('metadata.name', name, 'must be no more than 52 characters'))
    return errors
  },
  createWarnings: (draft) => [...nameWarnings(draft), ...jobSpecWarnings(draft.spec.jobTemplate.spec, 'spec.jobTemplate.spec')],
  prepareForUpdate(draft, old) {
    draft.status = old.status
    dropDisabledTemplateFields(draft.spec.jobTemplate.spec.template, old.spec.jobTemplate?.spec?.template)
    if (!semanticEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateSpec(draft.spec, old.spec),
  ],
  warnings(draft, old) {
    const changed = draft.metadata.generation !== old.metadata.generation
    const warnings = changed ? jobSpecWarnings(draft.spec.jobTemplate.spec, 'spec.jobTemplate.spec') : []
    if (draft.spec.schedule?.includes('TZ')) {
      warnings.push(
        'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
      )
    }
    return warnings
  },
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
      },
      validateUpdate: () => [],
    },
  },
  columns: [
    nameColumn,
    column('Schedule', 'string', 'The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron.'),
    column(
      'Timezone',
      'string',
      'The time zone name for the given schedule, see https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not specified, this will default to the time zone of the kube-controller-manager process. The set of valid time zone names and the time zone offset is loaded from the system-wide time zone database by the API server during CronJob validation and the controller manager during execution. If no system-wide time zone database can be found a bundled version of the database is used instead. If the time zone name becomes invalid during the lifetime of a CronJob or due to a change in host configuration, the controller will stop creating new new Jobs and will create a system event with the reason UnknownTimeZone. More information can be found in https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones',
    ),
    column(
      'Suspend',
      'boolean',
      'This flag tells the controller to suspend subsequent executions, it does not apply to already started executions.  Defaults to false.',
    ),
    column('Active', 'integer', 'A list of pointers to currently running jobs.'),
    column('Last Schedule', 'string', 'Information when was the last time the job was successfully scheduled.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    column(
      'Selector',
      'string',
      'A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      1,
    ),
  ],
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? '',
    spec.schedule,
    spec.timeZone ?? '<none>',
    spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False',
    status?.active?.length ?? 0,
    status?.lastScheduleTime === undefined ? '<none>' : translateTimestampSince(status.lastScheduleTime, nowMs),
    translateTimestampSince(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.jobTemplate.spec?.template),
    formatLabelSelector(spec.jobTemplate.spec?.selector),
  ],
}
