// The registries of the simulated world: well-known public images by name, an honest default for the others, and names that are not there.
import { fullName, type ImageReference } from './reference.ts'
import type { Image } from './types.ts'

const MB = 1_000_000
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

interface Entry {
  readonly sizeMB: number
  readonly run: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly programs?: readonly string[]
  readonly env?: readonly (readonly [string, string])[]
  readonly tools?: false
  readonly workingDir?: string
  readonly user?: string
  readonly stopSignal?: string
}

const K8S = 'registry.k8s.io'
const KUBERNETES_PATH = ['PATH', PATH] as const

/** By repository; Docker Hub's official images without their `docker.io/library/`. Compressed sizes as the registries report them, in MB. */
const WELL_KNOWN: Readonly<Record<string, Entry>> = {
  nginx: {
    sizeMB: 72.3,
    entrypoint: ['/docker-entrypoint.sh'],
    run: ['nginx', '-g', 'daemon off;'],
    programs: ['nginx'],
    stopSignal: 'SIGQUIT',
    env: [['NGINX_VERSION', '1.27.5']],
  },
  httpd: {
    sizeMB: 58.4,
    run: ['httpd-foreground'],
    programs: ['httpd'],
    stopSignal: 'SIGWINCH',
    workingDir: '/usr/local/apache2',
    env: [['HTTPD_PREFIX', '/usr/local/apache2']],
  },
  redis: { sizeMB: 45.1, entrypoint: ['docker-entrypoint.sh'], run: ['redis-server'], programs: ['redis'], workingDir: '/data' },
  valkey: { sizeMB: 42.1, entrypoint: ['docker-entrypoint.sh'], run: ['valkey-server'], programs: ['redis'], workingDir: '/data' },
  postgres: {
    sizeMB: 155.2,
    entrypoint: ['docker-entrypoint.sh'],
    run: ['postgres'],
    programs: ['postgres'],
    stopSignal: 'SIGINT',
    env: [['PGDATA', '/var/lib/postgresql/data']],
  },
  mysql: { sizeMB: 251.6, entrypoint: ['docker-entrypoint.sh'], run: ['mysqld'], programs: ['mysql'] },
  mariadb: { sizeMB: 118.3, entrypoint: ['docker-entrypoint.sh'], run: ['mariadbd'], programs: ['mysql'] },
  mongo: { sizeMB: 291.4, entrypoint: ['docker-entrypoint.sh'], run: ['mongod'], programs: ['mongo'] },
  memcached: { sizeMB: 31.2, entrypoint: ['docker-entrypoint.sh'], run: ['memcached'], programs: ['memcached'], user: '11211' },
  rabbitmq: { sizeMB: 107.5, entrypoint: ['docker-entrypoint.sh'], run: ['rabbitmq-server'], programs: ['rabbitmq'] },
  tomcat: { sizeMB: 207.9, run: ['catalina.sh', 'run'], programs: ['tomcat'], workingDir: '/usr/local/tomcat' },
  busybox: { sizeMB: 2.2, run: ['sh'] },
  alpine: { sizeMB: 3.6, run: ['/bin/sh'] },
  debian: { sizeMB: 48.5, run: ['bash'] },
  ubuntu: { sizeMB: 29.7, run: ['/bin/bash'] },
  centos: { sizeMB: 83.5, run: ['/bin/bash'] },
  fedora: { sizeMB: 61.2, run: ['/bin/bash'] },
  perl: { sizeMB: 360.1, run: ['perl', '-de0'] },
  python: { sizeMB: 362.4, run: ['python3'], programs: ['python'] },
  node: { sizeMB: 386.2, entrypoint: ['docker-entrypoint.sh'], run: ['node'], programs: ['node'] },
  'hello-world': { sizeMB: 0.01, run: ['/hello'], programs: ['hello'], tools: false },
  'docker.io/traefik/whoami': { sizeMB: 2.6, entrypoint: ['/whoami'], run: [], programs: ['whoami'], tools: false },
  'docker.io/hashicorp/http-echo': { sizeMB: 4.1, entrypoint: ['/http-echo'], run: [], programs: ['http-echo'], tools: false },
  'docker.io/ealen/echo-server': { sizeMB: 49.8, run: ['/echo-server'], programs: ['echo'] },
  'docker.io/jmalloc/echo-server': { sizeMB: 5.1, run: ['/bin/echo-server'], programs: ['echo'], tools: false },
  'docker.io/polinux/stress': { sizeMB: 4.4, run: ['stress'], programs: ['stress'] },
  'docker.io/prom/prometheus': { sizeMB: 111.8, entrypoint: ['/bin/prometheus'], run: [], programs: ['prometheus'], user: 'nobody' },
  'docker.io/nginxinc/nginx-unprivileged': {
    sizeMB: 72.5,
    entrypoint: ['/docker-entrypoint.sh'],
    run: ['nginx', '-g', 'daemon off;'],
    programs: ['nginx'],
    user: '101',
  },
  'docker.io/curlimages/curl': { sizeMB: 9.3, entrypoint: ['/entrypoint.sh'], run: ['curl'], user: '100' },
  'docker.io/bitnami/nginx': { sizeMB: 92.1, run: ['nginx'], programs: ['nginx'] },
  'docker.io/flannel/flannel': { sizeMB: 33.7, entrypoint: ['/opt/bin/flanneld'], run: [], programs: ['cni-agent'] },
  'ghcr.io/flannel-io/flannel': { sizeMB: 33.7, entrypoint: ['/opt/bin/flanneld'], run: [], programs: ['cni-agent'] },
  'docker.io/flannel/flannel-cni-plugin': { sizeMB: 4.8, run: ['sh'] },
  'ghcr.io/flannel-io/flannel-cni-plugin': { sizeMB: 4.8, run: ['sh'] },
  'docker.io/kindest/kindnetd': { sizeMB: 36.8, run: ['/bin/kindnetd'], programs: ['cni-agent'] },
  'docker.io/calico/node': { sizeMB: 159.3, run: ['start_runit'], programs: ['cni-agent'] },
  'quay.io/calico/node': { sizeMB: 159.3, run: ['start_runit'], programs: ['cni-agent'] },
  'quay.io/cilium/cilium': { sizeMB: 242.2, run: ['/usr/bin/cilium-agent'], programs: ['cni-agent'] },
  'gcr.io/google-samples/hello-app': { sizeMB: 6.4, run: ['./hello-app'], programs: ['hello-app'], tools: false },
  'us-docker.pkg.dev/google-samples/containers/gke/hello-app': { sizeMB: 6.4, run: ['./hello-app'], programs: ['hello-app'], tools: false },
  [`${K8S}/pause`]: { sizeMB: 0.32, entrypoint: ['/pause'], run: [], programs: ['pause'], tools: false },
  [`${K8S}/e2e-test-images/agnhost`]: { sizeMB: 53.1, entrypoint: ['/agnhost'], run: ['pause'], programs: ['netexec'] },
  [`${K8S}/echoserver`]: { sizeMB: 43.8, run: ['echoserver'], programs: ['echo'] },
  [`${K8S}/hpa-example`]: { sizeMB: 164.9, run: ['apache2-foreground'], programs: ['httpd'] },
  [`${K8S}/metrics-server/metrics-server`]: {
    sizeMB: 21.7,
    entrypoint: ['/metrics-server'],
    run: [],
    programs: ['metrics-server'],
    tools: false,
  },
  [`${K8S}/etcd`]: { sizeMB: 57.7, run: ['etcd'], programs: ['etcd'], tools: false, env: [KUBERNETES_PATH] },
  [`${K8S}/kube-apiserver`]: { sizeMB: 27.7, run: ['kube-apiserver'], programs: ['kube-apiserver'], tools: false, env: [KUBERNETES_PATH] },
  [`${K8S}/kube-controller-manager`]: {
    sizeMB: 23.1,
    run: ['kube-controller-manager'],
    programs: ['kube-controller-manager'],
    tools: false,
    env: [KUBERNETES_PATH],
  },
  [`${K8S}/kube-scheduler`]: { sizeMB: 17.2, run: ['kube-scheduler'], programs: ['kube-scheduler'], tools: false, env: [KUBERNETES_PATH] },
  [`${K8S}/kube-proxy`]: { sizeMB: 25.9, run: ['/usr/local/bin/kube-proxy'], programs: ['kube-proxy'], env: [KUBERNETES_PATH] },
  [`${K8S}/coredns/coredns`]: {
    sizeMB: 22.4,
    entrypoint: ['/coredns'],
    run: [],
    programs: ['coredns'],
    tools: false,
    user: '65532',
    workingDir: '/',
  },
  [`${K8S}/cloud-controller-manager`]: {
    sizeMB: 24.5,
    run: ['cloud-controller-manager'],
    programs: ['cloud-controller-manager'],
    tools: false,
  },
}

const DEFAULT_SIZE_MB = 60

/** Words that say of themselves that nobody pushed such an image. */
const ABSENT =
  /(^|[-_./])(no-?such|does-?not-?exist|doesnt-?exist|non-?exist(ent|ing)?|not-?exist(s|ing)?|not-?found|missing|typo|wrong|invalid|bogus|nope)([-_./]|$)|nosuch/

export type Lookup =
  | { readonly found: true; readonly image: Image; readonly name: string; readonly imageId: string; readonly repoDigest: string }
  | { readonly found: false; readonly code: 'NotFound' | 'Unknown'; readonly message: string }

const repositoryOf = (ref: ImageReference): string =>
  ref.domain === 'docker.io' && ref.path.startsWith('library/') ? ref.path.slice(8) : `${ref.domain}/${ref.path}`

export function findImage(ref: ImageReference): Lookup {
  const name = fullName(ref)
  const repository = repositoryOf(ref)
  const entry = Object.hasOwn(WELL_KNOWN, repository) ? WELL_KNOWN[repository] : undefined
  const failure = `failed to pull and unpack image "${name}": failed to resolve reference "${name}": `
  if (!entry && /\.(example|invalid|test|local)(:\d+)?$|(^|\.)example\.(com|org|net)(:\d+)?$/.test(ref.domain)) {
    return {
      found: false,
      code: 'Unknown',
      message: `${failure}failed to do request: Head "https://${ref.domain}/v2/${ref.path}/manifests/${ref.tag ?? 'latest'}": dial tcp: lookup ${ref.domain}: no such host`,
    }
  }
  if (!entry && ABSENT.test(ref.path)) {
    return ref.domain === 'docker.io'
      ? {
          found: false,
          code: 'Unknown',
          message: `${failure}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
        }
      : { found: false, code: 'NotFound', message: `${failure}${name}: not found` }
  }
  if (ref.tag !== undefined && ABSENT.test(ref.tag)) return { found: false, code: 'NotFound', message: `${failure}${name}: not found` }
  if (!entry && ref.domain === 'docker.io' && ref.path.startsWith('library/')) {
    // Official images are a closed list, and this one is not in it.
    if (!OFFICIAL.has(ref.path.slice(8)))
      return {
        found: false,
        code: 'Unknown',
        message: `${failure}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
      }
  }
  const image = imageOf(`${ref.domain}/${ref.path}`, entry, ref.tag ?? 'latest')
  return {
    found: true,
    image,
    name,
    imageId: `sha256:${hex64(`config ${name}`)}`,
    repoDigest: `${ref.domain}/${ref.path}@${ref.digest ?? `sha256:${hex64(`manifest ${name}`)}`}`,
  }
}

/** Docker Hub's official images beside those above. */
const OFFICIAL = new Set(
  'adminer aerospike almalinux amazoncorretto amazonlinux arangodb archlinux bash bonita buildpack-deps caddy cassandra chronograf clojure consul couchbase couchdb crate dart docker drupal eclipse-mosquitto eclipse-temurin elasticsearch elixir emqx erlang ghost golang gradle groovy haproxy haskell haxe influxdb ironpython jenkins jetty joomla jruby julia kapacitor kibana kong logstash maven mediawiki mongo-express nats neo4j nextcloud nuxeo odoo open-liberty openjdk oraclelinux orientdb percona php phpmyadmin photon plone postfixadmin pypy r-base rakudo-star redmine registry rethinkdb rocket.chat rockylinux ros ruby rust sapmachine satosa scratch silverpeas solr sonarqube spark spiped storm swift swipl teamspeak telegraf tomee traefik unit varnish vault websphere-liberty wordpress xwiki yourls zookeeper opensuse alt cirros clearlinux clefos convertigo express-gateway fluentd friendica gazebo gcc geonetwork hitch hylang'.split(
    ' ',
  ),
)

function imageOf(repository: string, entry: Entry | undefined, tag: string): Image {
  if (!entry)
    return {
      repository,
      sizeBytes: Math.round(DEFAULT_SIZE_MB * MB),
      entrypoint: [],
      cmd: ['/app'],
      env: [['PATH', PATH]],
      workingDir: '/',
      user: '',
      hasTools: true,
      programs: ['app'],
      files: [],
      anything: true,
    }
  const slim = /alpine|slim/.test(tag) ? 0.35 : 1
  return {
    repository,
    sizeBytes: Math.round(entry.sizeMB * slim * MB),
    entrypoint: entry.entrypoint ?? [],
    cmd: entry.run,
    env: [['PATH', PATH], ...(entry.env ?? []).filter(([name]) => name !== 'PATH')],
    workingDir: entry.workingDir ?? '/',
    user: entry.user ?? '',
    ...(entry.stopSignal === undefined ? {} : { stopSignal: entry.stopSignal }),
    hasTools: entry.tools !== false,
    programs: entry.programs ?? [],
    files: [],
  }
}

/** 64 hexadecimal digits that stand for a digest: the same for the same text. */
export function hex64(text: string): string {
  let out = ''
  for (let part = 0; part < 8; part++) {
    let h = 0x811c9dc5 ^ Math.imul(part + 1, 0x9e3779b1)
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
    h ^= h >>> 15
    h = Math.imul(h, 0x85ebca6b)
    h ^= h >>> 13
    out += (h >>> 0).toString(16).padStart(8, '0')
  }
  return out
}
