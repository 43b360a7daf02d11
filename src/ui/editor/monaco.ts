// Monaco with YAML and Kubernetes schemas. Loaded on demand only. monaco-yaml 5.5 still speaks the worker interface of monaco before 0.54;
// the shim below hands it a worker it started itself. e2e/editor.spec.ts guards it by asserting a schema marker.
import * as monaco from 'monaco-editor/editor'
import 'monaco-editor/features/register.all'
import 'monaco-editor/languages/definitions/yaml/register'
import { configureMonacoYaml } from 'monaco-yaml'
import EditorWorker from 'monaco-editor/editor/editor.worker?worker'
import YamlWorker from './yaml.worker?worker'
import schemaUrl from './kubernetes.schema.gen.json?url'

self.MonacoEnvironment = { getWorker: (_id, label) => (label === 'yaml' ? new YamlWorker() : new EditorWorker()) }

const create = monaco.editor.createWebWorker as unknown as (options: { worker: Worker }) => unknown
const shim = {
  ...monaco,
  editor: {
    ...monaco.editor,
    createWebWorker: (options: { createData: unknown }) => {
      const worker = new YamlWorker()
      worker.postMessage('init')
      worker.postMessage(options.createData)
      return create({ worker })
    },
  },
}

const colour = (name: string): string => {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  return text.startsWith('#') ? text : '#888888'
}

export function defineTheme(): string {
  const dark = document.documentElement.dataset.theme !== 'light'
  const bare = (name: string): string => colour(name).slice(1, 7)
  monaco.editor.defineTheme('orrery', {
    base: dark ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [
      { token: 'type.yaml', foreground: bare('--code-key') },
      { token: 'string.yaml', foreground: bare('--code-string') },
      { token: 'number.yaml', foreground: bare('--code-number') },
      { token: 'comment.yaml', foreground: bare('--text-3') },
    ],
    colors: {
      'editor.background': colour('--panel'),
      'editor.foreground': colour('--text'),
      'editorLineNumber.foreground': colour('--text-3'),
      'editorLineNumber.dimmedForeground': colour('--text-3'),
      'editorLineNumber.activeForeground': colour('--text'),
      'editor.lineHighlightBackground': colour('--raised'),
      'editorWidget.background': colour('--panel'),
      'editorWidget.border': colour('--line-strong'),
      'editorError.foreground': colour('--red'),
      'editorWarning.foreground': colour('--amber'),
    },
  })
  monaco.editor.setTheme('orrery')
  return 'orrery'
}

let configured: Promise<void> | undefined
export function configure(): Promise<void> {
  configured ??= (async () => {
    const schema: unknown = await (await fetch(schemaUrl)).json()
    configureMonacoYaml(shim as never, {
      isKubernetes: true,
      enableSchemaRequest: false,
      hover: true,
      completion: true,
      validate: true,
      schemas: [{ uri: 'https://orrery.invalid/kubernetes.json', fileMatch: ['**/*.yaml'], schema: schema as never }],
    })
  })()
  return configured
}

export { monaco }
