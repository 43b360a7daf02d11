// The few files that every image has, so that scripts find the directories they expect.
import type { FileNode, ImageFiles } from '../filesystem.ts'
import type { Image } from './types.ts'

const DIRECTORIES = [
  '/bin',
  '/dev',
  '/etc',
  '/home',
  '/lib',
  '/mnt',
  '/opt',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/srv',
  '/sys',
  '/usr',
  '/usr/bin',
  '/usr/lib',
  '/usr/local',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/share',
  '/var',
  '/var/cache',
  '/var/lib',
  '/var/log',
  '/var/run',
  '/var/tmp',
]

const cache = new WeakMap<Image, ImageFiles>()

export function imageFiles(image: Image): ImageFiles {
  let files = cache.get(image)
  if (!files) {
    const made = new Map<string, FileNode>()
    const directory = (path: string, mode = 0o755): void => {
      made.set(path, { type: 'dir', mode, uid: 0, gid: 0, mtime: 0 })
    }
    const file = (path: string, content: string): void => {
      let parent = ''
      for (const part of path.split('/').slice(1, -1)) {
        parent += `/${part}`
        if (!made.has(parent)) directory(parent)
      }
      made.set(path, { type: 'file', content, mode: 0o644, uid: 0, gid: 0, mtime: 0 })
    }
    for (const path of DIRECTORIES) directory(path)
    directory('/tmp', 0o1777)
    file('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n')
    file('/etc/group', 'root:x:0:\nnogroup:x:65534:\n')
    file('/etc/os-release', 'PRETTY_NAME="Container image"\nNAME="Linux"\nID=linux\n')
    if (image.programs.includes('nginx')) {
      file(
        '/usr/share/nginx/html/index.html',
        '<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n</body>\n</html>\n',
      )
      file('/etc/nginx/nginx.conf', 'user  nginx;\nworker_processes  auto;\n')
      file(
        '/etc/nginx/conf.d/default.conf',
        'server {\n    listen       80;\n    server_name  localhost;\n    location / {\n        root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n',
      )
      directory('/var/log/nginx')
    }
    if (image.programs.includes('httpd')) file('/usr/local/apache2/htdocs/index.html', '<html><body><h1>It works!</h1></body></html>\n')
    if (image.workingDir !== '/') {
      let path = ''
      for (const part of image.workingDir.split('/').filter(Boolean)) {
        path += `/${part}`
        if (!made.has(path)) directory(path)
      }
    }
    for (const [path, content] of image.files) file(path, content)
    files = made
    cache.set(image, files)
  }
  return files
}
