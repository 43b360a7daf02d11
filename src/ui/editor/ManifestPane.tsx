// The manifest editor: completion and hover from the Kubernetes schema, errors of the simulated API server on the offending line,
// a dry-run diff before applying, and a result for every document.
import { ChevronDown } from 'lucide-react'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { DocumentDiff, DocumentResult, Marker } from '../../protocol/messages.ts'
import { EXAMPLES } from '../../scenarios/examples.ts'
import { draft } from '../../session/draft.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import { Menu } from '../kit/Menu.tsx'
import styles from './ManifestPane.module.css'

const DiffDialog = lazy(() => import('./DiffDialog.tsx'))
/** The server is asked what it would say when typing pauses. */
const CHECK_AFTER_MS = 600
export const MAX_MANIFEST_BYTES = 1.5 * 1024 * 1024

type MonacoModule = typeof import('./monaco.ts')

export default function ManifestPane() {
  const session = useSession()
  const ready = useSessionState((s) => s.phase === 'ready')
  const text = useStore(draft, (d) => d.text)
  const [results, setResults] = useState<readonly DocumentResult[]>([])
  const [checked, setChecked] = useState<readonly DocumentResult[] | null>(null)
  const [diff, setDiff] = useState<readonly DocumentDiff[] | null>(null)
  const [module, setModule] = useState<MonacoModule | null>(null)
  const holder = useRef<HTMLDivElement>(null)
  const editor = useRef<ReturnType<MonacoModule['monaco']['editor']['create']> | null>(null)
  const tooLarge = text.length > MAX_MANIFEST_BYTES

  useEffect(() => {
    void import('./monaco.ts').then(async (m) => {
      await m.configure()
      setModule(m)
    })
  }, [])

  /** Rises with every check and every apply: an answer to an older question is not shown. */
  const checking = useRef(0)
  const actions = useRef({ apply: () => {}, undo: () => {} })
  const apply = async (): Promise<void> => {
    // What follows is worth watching: play on from the first message.
    checking.current++
    const result = await session.command({ do: 'apply', yaml: draft.getState().text }, { thenPlay: true })
    setResults(result.lines)
    setChecked(null)
  }
  actions.current.apply = () => void apply()

  useEffect(() => {
    if (!module || !holder.current) return
    const { monaco, defineTheme } = module
    const model =
      monaco.editor.getModel(monaco.Uri.parse('file:///manifest.yaml')) ??
      monaco.editor.createModel(draft.getState().text, 'yaml', monaco.Uri.parse('file:///manifest.yaml'))
    if (model.getValue() !== draft.getState().text) model.setValue(draft.getState().text)
    const instance = monaco.editor.create(holder.current, {
      model,
      theme: defineTheme(),
      automaticLayout: true,
      fixedOverflowWidgets: true,
      wordBasedSuggestions: 'off',
      quickSuggestions: { strings: true, other: true, comments: false },
      minimap: { enabled: false },
      fontFamily: "'JetBrains Mono Variable', monospace",
      fontSize: 13,
      tabSize: 2,
      scrollBeyondLastLine: false,
      lineNumbersMinChars: 3,
      renderLineHighlight: 'line',
      padding: { top: 10 },
      ariaLabel: 'Kubernetes manifest. Escape, then Tab leaves the editor.',
      stickyScroll: { enabled: false },
    })
    editor.current = instance
    instance.addAction({
      id: 'apply',
      label: 'Apply the manifest',
      keybindings: [monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter],
      run: () => actions.current.apply(),
    })
    // Escape hands the next Tab to the page, so that the editor is no keyboard trap.
    let leaving = false
    const keys = instance.onKeyDown((event) => {
      if (event.keyCode === monaco.KeyCode.Escape) leaving = true
      else if (event.keyCode === monaco.KeyCode.Tab && leaving) {
        event.preventDefault()
        event.stopPropagation()
        leaving = false
        document.querySelector<HTMLElement>(event.shiftKey ? '[role="tab"][data-state="active"]' : '[data-after-editor]')?.focus()
      } else leaving = false
    })
    const changes = model.onDidChangeContent(() => draft.setState({ text: model.getValue() }))
    const stop = draft.subscribe((d) => d.text !== model.getValue() && model.setValue(d.text))
    const themes = new MutationObserver(() => defineTheme())
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    return () => {
      themes.disconnect()
      stop()
      keys.dispose()
      changes.dispose()
      instance.dispose()
      editor.current = null
    }
  }, [module])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new text makes old results stale
  useEffect(() => {
    if (!ready) return
    const mine = ++checking.current
    const timer = setTimeout(async () => {
      if (mine !== checking.current) return
      if (tooLarge) {
        setChecked([
          {
            document: 0,
            outcome: 'rejected',
            text: `The manifest has ${Math.round(text.length / 1024)} KiB; the API server accepts at most 1536 KiB.`,
            markers: [],
            warnings: [],
          },
        ])
        return
      }
      try {
        const { documents } = await session.client.request('check', { yaml: text })
        if (mine === checking.current) setChecked(documents)
      } catch (error) {
        if (mine === checking.current)
          setChecked([{ document: 0, outcome: 'rejected', text: (error as Error).message, markers: [], warnings: [] }])
      }
    }, CHECK_AFTER_MS)
    return () => clearTimeout(timer)
  }, [text, ready, session])

  useEffect(() => {
    if (!module) return
    const { monaco } = module
    const model = monaco.editor.getModel(monaco.Uri.parse('file:///manifest.yaml'))
    if (!model) return
    const shown = checked ?? results
    monaco.editor.setModelMarkers(
      model,
      'kube-apiserver',
      shown
        .flatMap((r) => (r.outcome === 'rejected' ? r.markers : []))
        .map((m: Marker) => ({
          severity: monaco.MarkerSeverity.Error,
          source: 'kube-apiserver',
          message: m.message,
          startLineNumber: m.line,
          startColumn: m.column,
          endLineNumber: m.endLine,
          endColumn: m.endColumn,
        })),
    )
  }, [checked, results, module])

  const shown = results.length > 0 && checked === null ? results : (checked ?? [])
  const wrong = shown.filter((r) => r.outcome === 'rejected')
  return (
    <div className={styles.pane}>
      <div className={styles.editor}>
        {module ? (
          <section ref={holder} style={{ height: '100%' }} aria-label="Manifest editor" />
        ) : (
          <textarea
            className={styles.plain}
            value={text}
            aria-label="Manifest"
            spellCheck={false}
            onChange={(e) => draft.setState({ text: e.target.value })}
          />
        )}
      </div>
      <Results
        lines={shown}
        dry={checked !== null}
        onGo={(m) =>
          editor.current?.setPosition({ lineNumber: m.line, column: m.column }) === undefined &&
          (editor.current?.revealLineInCenter(m.line), editor.current?.focus())
        }
      />
      <div className={styles.bar}>
        <Menu
          label="Examples"
          groups={[
            {
              items: EXAMPLES.map((e) => ({ id: e.id, label: e.title, detail: e.about, onSelect: () => draft.setState({ text: e.yaml }) })),
            },
          ]}
          trigger={
            <Button data-after-editor="">
              Examples <ChevronDown size={14} />
            </Button>
          }
        />
        <span className={styles.spacer} />
        <Button
          disabled={!ready || tooLarge}
          title="What would applying change? (server-side dry run)"
          onClick={() => void session.client.request('diff', { yaml: text }).then((d) => setDiff(d.documents))}
        >
          Diff
        </Button>
        <Button kind="primary" disabled={!ready || tooLarge} shortcut="Control+Enter" title="Apply" onClick={() => void apply()}>
          Apply
        </Button>
      </div>
      <p className={styles.hint}>
        <span className={styles.verdict} role="status" data-testid="verdict">
          {shown.length === 0 ? '' : wrong.length > 0 ? `✕ ${wrong.length} of ${shown.length} refused` : `✓ ${shown.length} valid`}
        </span>
        <span>Esc, Tab: leave · Ctrl Enter: apply</span>
      </p>
      {diff ? (
        <Suspense fallback={null}>
          <DiffDialog
            documents={diff}
            onClose={() => setDiff(null)}
            onApply={() => {
              setDiff(null)
              void apply()
            }}
          />
        </Suspense>
      ) : null}
    </div>
  )
}

function Results({ lines, dry, onGo }: { lines: readonly DocumentResult[]; dry: boolean; onGo(marker: Marker): void }) {
  const worth = dry ? lines.filter((l) => l.outcome === 'rejected' || l.warnings.length > 0) : lines
  if (worth.length === 0) return null
  return (
    <ul className={styles.results} aria-label={dry ? 'What the API server would say' : 'Results'}>
      {worth.map((line, i) => (
        <li key={`${line.document}-${i}`} data-outcome={line.outcome}>
          {line.markers[0] ? (
            <button type="button" onClick={() => onGo(line.markers[0] as Marker)}>
              line {line.markers[0].line}
            </button>
          ) : null}
          <span>{line.text}</span>
          {line.warnings.map((w) => (
            <em key={w}>Warning: {w}</em>
          ))}
        </li>
      ))}
    </ul>
  )
}
