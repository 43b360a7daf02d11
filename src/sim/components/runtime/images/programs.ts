// What the programs in well-known images do. Log lines are as the real programs begin; times are those of a quiet machine.
import type { Listener, LogLine, Program } from './types.ts'

const MI = 1024 * 1024
const line = (text: string, afterMs = 0, stream: 'stdout' | 'stderr' = 'stdout'): LogLine => ({ afterMs, stream, text })
const ok = (path: string, body = 'ok'): { path: string; status: number; body: string } => ({ path, status: 200, body })
const health: Listener['routes'] = [ok('/healthz'), ok('/livez'), ok('/readyz'), ok('/metrics', '')]

const NGINX_PAGE =
  '<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n<p>If you see this page, the nginx web server is successfully installed and\nworking. Further configuration is required.</p>\n</body>\n</html>\n'

const component = (name: string, listens: readonly Listener[], idFrom: 'node' | 'pod' = 'node'): Program => ({
  commands: [name, `/usr/local/bin/${name}`, `/${name}`],
  readyAfterMs: 0,
  lines: [],
  listens,
  onTerm: { afterMs: 20, code: 0 },
  process: { type: name, idPrefix: name, idFrom },
  cpuMillicores: 20,
  memoryBytes: 60 * MI,
})

export const PROGRAMS: Readonly<Record<string, Program>> = {
  nginx: {
    commands: ['nginx', '/docker-entrypoint.sh', '/usr/sbin/nginx', 'nginx-debug'],
    readyAfterMs: 5,
    lines: [
      line('/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration'),
      line('/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/'),
      line('/docker-entrypoint.sh: Configuration complete; ready for start up', 4),
      line('[notice] 1#1: using the "epoll" event method', 5, 'stderr'),
      line('[notice] 1#1: start worker processes', 5, 'stderr'),
    ],
    listens: [
      {
        port: 80,
        protocol: 'http',
        routes: [
          { path: '/', status: 200, body: NGINX_PAGE, contentType: 'text/html' },
          { path: '/index.html', status: 200, body: NGINX_PAGE, contentType: 'text/html' },
        ],
      },
    ],
    onTerm: { afterMs: 5, code: 0 },
    cpuMillicores: 1,
    memoryBytes: 8 * MI,
  },
  httpd: {
    commands: ['httpd', 'httpd-foreground', 'apache2', 'apache2-foreground'],
    readyAfterMs: 10,
    lines: [
      line(
        "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using 127.0.0.1. Set the 'ServerName' directive globally to suppress this message",
        2,
        'stderr',
      ),
      line('[mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4 (Unix) configured -- resuming normal operations', 10, 'stderr'),
    ],
    listens: [
      {
        port: 80,
        protocol: 'http',
        routes: [{ path: '/', status: 200, body: '<html><body><h1>It works!</h1></body></html>\n', contentType: 'text/html' }],
      },
    ],
    onTerm: { afterMs: 10, code: 0 },
    cpuMillicores: 1,
    memoryBytes: 12 * MI,
  },
  redis: {
    commands: ['redis-server', 'valkey-server', 'docker-entrypoint.sh'],
    readyAfterMs: 5,
    lines: [
      line('1:C * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo'),
      line('1:M * Running mode=standalone, port=6379.', 2),
      line('1:M * Ready to accept connections tcp', 5),
    ],
    listens: [{ port: 6379, protocol: 'tcp', portFrom: { argument: '--port' } }],
    onTerm: { afterMs: 5, code: 0 },
    cpuMillicores: 2,
    memoryBytes: 10 * MI,
  },
  postgres: {
    commands: ['postgres', 'docker-entrypoint.sh'],
    readyAfterMs: 1500,
    lines: [
      line('The files belonging to this database system will be owned by user "postgres".'),
      line('PostgreSQL init process complete; ready for start up.', 1200),
      line('LOG:  listening on IPv4 address "0.0.0.0", port 5432', 1450, 'stderr'),
      line('LOG:  database system is ready to accept connections', 1500, 'stderr'),
    ],
    listens: [{ port: 5432, protocol: 'tcp' }],
    onTerm: { afterMs: 50, code: 0 },
    requires: {
      anyOf: ['POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE', 'POSTGRES_HOST_AUTH_METHOD'],
      code: 1,
      stderr:
        'Error: Database is uninitialized and superuser password is not specified.\n       You must specify POSTGRES_PASSWORD to a non-empty value for the\n       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".\n',
    },
    cpuMillicores: 10,
    memoryBytes: 40 * MI,
  },
  mysql: {
    commands: ['mysqld', 'mariadbd', 'docker-entrypoint.sh'],
    readyAfterMs: 8000,
    lines: [
      line('[Note] [Entrypoint]: Entrypoint script for MySQL Server started.'),
      line('[Note] [Entrypoint]: Initializing database files', 300),
      line('[Note] [Entrypoint]: MySQL init process done. Ready for start up.', 6000),
      line('[System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. port: 3306', 8000, 'stderr'),
    ],
    listens: [{ port: 3306, protocol: 'tcp' }],
    onTerm: { afterMs: 1000, code: 0 },
    requires: {
      anyOf: [
        'MYSQL_ROOT_PASSWORD',
        'MYSQL_ROOT_PASSWORD_FILE',
        'MYSQL_ALLOW_EMPTY_PASSWORD',
        'MYSQL_RANDOM_ROOT_PASSWORD',
        'MARIADB_ROOT_PASSWORD',
        'MARIADB_ALLOW_EMPTY_ROOT_PASSWORD',
        'MARIADB_RANDOM_ROOT_PASSWORD',
      ],
      code: 1,
      stderr:
        '[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n',
    },
    cpuMillicores: 20,
    memoryBytes: 400 * MI,
  },
  mongo: {
    commands: ['mongod', 'docker-entrypoint.sh'],
    readyAfterMs: 1500,
    lines: [
      line('{"s":"I","c":"NETWORK","id":23016,"ctx":"listener","msg":"Waiting for connections","attr":{"port":27017,"ssl":"off"}}', 1500),
    ],
    listens: [{ port: 27017, protocol: 'tcp' }],
    onTerm: { afterMs: 300, code: 0 },
    cpuMillicores: 15,
    memoryBytes: 120 * MI,
  },
  memcached: {
    commands: ['memcached', 'docker-entrypoint.sh'],
    readyAfterMs: 2,
    lines: [],
    listens: [{ port: 11211, protocol: 'tcp' }],
    onTerm: { afterMs: 2, code: 0 },
    cpuMillicores: 1,
    memoryBytes: 4 * MI,
  },
  rabbitmq: {
    commands: ['rabbitmq-server', 'docker-entrypoint.sh'],
    readyAfterMs: 8000,
    lines: [line('  ##  ##      RabbitMQ', 2000), line('[info] Server startup complete; 3 plugins started.', 8000)],
    listens: [
      { port: 5672, protocol: 'tcp' },
      { port: 15672, protocol: 'http', routes: [ok('/', '<!doctype html><title>RabbitMQ Management</title>')] },
    ],
    onTerm: { afterMs: 2000, code: 0 },
    cpuMillicores: 30,
    memoryBytes: 130 * MI,
  },
  pause: { commands: ['/pause', 'pause'], readyAfterMs: 0, lines: [], listens: [], onTerm: { afterMs: 1, code: 0 }, memoryBytes: MI / 2 },
  hello: {
    commands: ['/hello'],
    readyAfterMs: 0,
    lines: [line('\nHello from Docker!\nThis message shows that your installation appears to be working correctly.')],
    listens: [],
    onTerm: { afterMs: 0, code: 0 },
    ends: { afterMs: 5, code: 0 },
  },
  netexec: {
    commands: ['/agnhost', 'agnhost'],
    readyAfterMs: 5,
    lines: [line('Started HTTP server on port 8080', 5, 'stderr'), line('Started UDP server on port 8081', 5, 'stderr')],
    listens: [
      {
        port: 8080,
        protocol: 'http',
        portFrom: { argument: '--http-port' },
        routes: [
          ok('/healthz', ''),
          ok('/', 'NOW: simulated'),
          ok('/hostname', '${HOSTNAME}'),
          ok('/hostName', '${HOSTNAME}'),
          ok('/echo*', ''),
        ],
      },
    ],
    onTerm: { afterMs: 2, code: 0 },
    cpuMillicores: 1,
    memoryBytes: 6 * MI,
  },
  echo: {
    commands: ['/echo-server', 'echo-server', 'echoserver', '/bin/echo-server'],
    readyAfterMs: 5,
    lines: [line('Echo server listening on port 8080.', 5)],
    listens: [{ port: 8080, protocol: 'http', echo: true, portFrom: { env: 'PORT' } }],
    onTerm: { afterMs: 2, code: 0 },
    cpuMillicores: 1,
    memoryBytes: 8 * MI,
  },
  'http-echo': {
    commands: ['/http-echo', 'http-echo'],
    readyAfterMs: 2,
    lines: [line('[INFO] server is listening on :5678', 2, 'stderr')],
    listens: [{ port: 5678, protocol: 'http', echo: true, portFrom: { argument: '-listen' } }],
    onTerm: { afterMs: 2, code: 0 },
    memoryBytes: 4 * MI,
  },
  whoami: {
    commands: ['/whoami', 'whoami-server'],
    readyAfterMs: 2,
    lines: [line('Starting up on port 80', 2)],
    listens: [{ port: 80, protocol: 'http', echo: true, portFrom: { argument: '--port', env: 'WHOAMI_PORT_NUMBER' } }],
    onTerm: { afterMs: 2, code: 2 },
    memoryBytes: 4 * MI,
  },
  'hello-app': {
    commands: ['./hello-app', '/hello-app'],
    readyAfterMs: 2,
    lines: [line('Server listening on port 8080', 2, 'stderr')],
    listens: [
      {
        port: 8080,
        protocol: 'http',
        portFrom: { env: 'PORT' },
        routes: [ok('/*', 'Hello, world!\nVersion: 1.0.0\nHostname: ${HOSTNAME}\n')],
      },
    ],
    onTerm: { afterMs: 2, code: 2 },
    memoryBytes: 6 * MI,
  },
  tomcat: {
    commands: ['catalina.sh', 'catalina'],
    readyAfterMs: 3000,
    lines: [line('INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [2891] milliseconds', 3000, 'stderr')],
    listens: [{ port: 8080, protocol: 'http' }],
    onTerm: { afterMs: 500, code: 143 },
    cpuMillicores: 10,
    memoryBytes: 150 * MI,
  },
  node: {
    commands: ['node'],
    readyAfterMs: 100,
    lines: [],
    listens: [{ port: 3000, protocol: 'http', echo: true, portFrom: { env: 'PORT' } }],
    onTerm: { afterMs: 5, code: 143 },
    memoryBytes: 40 * MI,
  },
  python: {
    commands: ['python', 'python3'],
    readyAfterMs: 100,
    lines: [],
    listens: [{ port: 8000, protocol: 'http', echo: true, portFrom: { env: 'PORT' } }],
    onTerm: 'ignore',
    memoryBytes: 20 * MI,
  },
  stress: {
    commands: ['stress', 'stress-ng', '/consume-cpu/consume-cpu'],
    readyAfterMs: 0,
    lines: [line('stress: info: [1] dispatching hogs', 0)],
    listens: [],
    onTerm: { afterMs: 1, code: 143 },
    cpuMillicores: 1000,
    memoryBytes: 64 * MI,
  },
  prometheus: {
    commands: ['/bin/prometheus', 'prometheus'],
    readyAfterMs: 800,
    lines: [line('level=INFO msg="Server is ready to receive web requests."', 800, 'stderr')],
    listens: [
      {
        port: 9090,
        protocol: 'http',
        routes: [ok('/-/ready', 'Prometheus Server is Ready.\n'), ok('/-/healthy', 'Prometheus Server is Healthy.\n'), ok('/')],
      },
    ],
    onTerm: { afterMs: 100, code: 0 },
    memoryBytes: 80 * MI,
  },
  'metrics-server': {
    commands: ['/metrics-server', 'metrics-server'],
    readyAfterMs: 1500,
    lines: [line('Serving securely on [::]:10250', 1500, 'stderr')],
    listens: [{ port: 10250, protocol: 'https', routes: health }],
    onTerm: { afterMs: 50, code: 0 },
    memoryBytes: 25 * MI,
  },
  etcd: component('etcd', [
    { port: 2379, protocol: 'https', routes: health },
    { port: 2380, protocol: 'https' },
    { port: 2381, protocol: 'http', routes: [...(health as []), ok('/health', '{"health":"true"}')] },
  ]),
  'kube-apiserver': component('kube-apiserver', [{ port: 6443, protocol: 'https', routes: health }]),
  'kube-controller-manager': component('kube-controller-manager', [{ port: 10257, protocol: 'https', routes: health }]),
  'kube-scheduler': component('kube-scheduler', [{ port: 10259, protocol: 'https', routes: health }]),
  'kube-proxy': component('kube-proxy', [
    { port: 10256, protocol: 'http', routes: health },
    { port: 10249, protocol: 'http', routes: health },
  ]),
  coredns: {
    ...component(
      'coredns',
      [
        { port: 53, protocol: 'udp' },
        { port: 53, protocol: 'tcp' },
        { port: 8080, protocol: 'http', routes: [ok('/health', 'OK')] },
        { port: 8181, protocol: 'http', routes: [ok('/ready', 'OK')] },
        { port: 9153, protocol: 'http', routes: [ok('/metrics', '')] },
      ],
      'pod',
    ),
    commands: ['/coredns', 'coredns'],
  },
  'cni-agent': {
    ...component('kindnetd', []),
    commands: [
      '/opt/bin/flanneld',
      'flanneld',
      '/bin/kindnetd',
      'kindnetd',
      'calico-node',
      'start_runit',
      'cilium-agent',
      '/usr/bin/cilium-agent',
      'cni-agent',
    ],
  },
  'cloud-controller-manager': component('cloud-controller-manager', [{ port: 10258, protocol: 'https', routes: health }]),
  app: { commands: [], readyAfterMs: 0, lines: [], listens: [], onTerm: { afterMs: 2, code: 143 } },
}
