package kubelet

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pods"
)

// command runs one simple command.
func (s *session) command(words []string) {
	s.code = 0
	if len(words) == 0 {
		return
	}
	args := words[1:]
	switch name := path.Base(words[0]); name {
	case "true", ":":
	case "false":
		s.code = 1
	case "exit":
		s.exit(args)
	case "echo":
		s.echo(args)
	case "env", "printenv":
		s.env(args)
	case "export":
		for _, arg := range args {
			variable, value, _ := strings.Cut(arg, "=")
			s.set(variable, value)
		}
	case "pwd":
		s.print(s.workDir + "\n")
	case "cd":
		s.cd(args)
	case "ls":
		s.ls(args)
	case "cat":
		s.cat(args)
	case "hostname":
		s.print(s.target.pod.Name + "\n")
	case "whoami":
		s.print("root\n")
	case "id":
		s.print("uid=0(root) gid=0(root) groups=0(root)\n")
	case "uname":
		s.print("Linux\n")
	case "date":
		s.print(s.now().UTC().Format(time.UnixDate) + "\n")
	case "ps":
		line := strings.Join(append(slices.Clone(s.target.spec.Command), s.target.spec.Args...), " ")
		s.print(fmt.Sprintf("PID   USER     COMMAND\n    1 root     %s\n", strings.TrimSpace(line+" ")))
	case "sleep":
		s.sleep(args)
	default:
		s.fail(127, "sh: %s: not found", words[0])
	}
}

func (s *session) exit(args []string) {
	s.exited = true
	if len(args) == 0 {
		return
	}
	code, err := strconv.ParseUint(args[0], 10, 8)
	if err != nil {
		s.fail(2, "sh: exit: Illegal number: %s", args[0])
		return
	}
	s.code = int(code)
}

func (s *session) echo(args []string) {
	end := "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, end = args[1:], ""
	}
	s.print(strings.Join(args, " ") + end)
}

func (s *session) env(names []string) {
	for _, name := range s.order {
		if len(names) == 0 {
			s.print(name + "=" + s.variables[name] + "\n")
		} else if slices.Contains(names, name) {
			s.print(s.variables[name] + "\n")
		}
	}
}

func (s *session) sleep(args []string) {
	d, ok := pods.Sleep(args)
	if !ok {
		s.fail(1, "sleep: invalid time interval")
		return
	}
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}

func (s *session) cd(args []string) {
	to := "/root"
	if len(args) > 0 {
		to = args[0]
	}
	if to = s.resolve(to); s.isFolder(to) {
		s.workDir = to
		return
	}
	s.fail(1, "sh: cd: can't cd to %s", args[0])
}

func (s *session) ls(args []string) {
	paths := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "-") })
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, arg := range paths {
		name := s.resolve(arg)
		if _, ok := s.files()[name]; ok {
			s.print(arg + "\n")
		} else if entries := s.entries(name); s.isFolder(name) {
			for _, entry := range entries {
				s.print(entry + "\n")
			}
		} else {
			s.fail(1, "ls: %s: No such file or directory", arg)
		}
	}
}

func (s *session) cat(args []string) {
	if len(args) == 0 {
		_, _ = io.Copy(s.out, s.in)
		return
	}
	for _, arg := range args {
		name := s.resolve(arg)
		if text, ok := s.files()[name]; ok {
			s.print(text)
		} else if s.isFolder(name) {
			s.fail(1, "cat: read error: Is a directory")
		} else {
			s.fail(1, "cat: can't open '%s': No such file or directory", arg)
		}
	}
}

func (s *session) resolve(name string) string {
	if !path.IsAbs(name) {
		name = path.Join(s.workDir, name)
	}
	return path.Clean(name)
}

// files are all that a simulated container has, by path.
func (s *session) files() map[string]string {
	const account = "/var/run/secrets/kubernetes.io/serviceaccount/"
	return map[string]string{
		"/etc/hostname":       s.target.pod.Name + "\n",
		"/etc/hosts":          "127.0.0.1\tlocalhost\n" + s.target.pod.Status.PodIP + "\t" + s.target.pod.Name + "\n",
		"/etc/os-release":     "ID=simulated\nPRETTY_NAME=\"Simulated container\"\n",
		account + "namespace": s.target.pod.Namespace + "\n",
	}
}

// folders are the folders of the imaginary file system besides those that
// hold files.
func (s *session) folders() []string {
	folders := []string{"/", "/bin", "/dev", "/home", "/lib", "/proc", "/root", "/sbin", "/sys", "/tmp", "/usr", "/usr/bin"}
	for _, mount := range s.target.spec.VolumeMounts {
		folders = append(folders, path.Clean(mount.MountPath))
	}
	if s.target.spec.WorkingDir != "" {
		folders = append(folders, path.Clean(s.target.spec.WorkingDir))
	}
	return folders
}

// entries lists what lies directly in a folder.
func (s *session) entries(folder string) []string {
	prefix := strings.TrimSuffix(folder, "/") + "/"
	var names []string
	add := func(name string) {
		if rest, inside := strings.CutPrefix(name, prefix); inside && rest != "" {
			first, _, _ := strings.Cut(rest, "/")
			names = append(names, first)
		}
	}
	for name := range s.files() {
		add(name)
	}
	for _, name := range s.folders() {
		add(name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (s *session) isFolder(name string) bool {
	return slices.Contains(s.folders(), name) || len(s.entries(name)) > 0
}

// valueOf returns the value of an environment variable, as far as the pod
// itself tells.
func (s *session) valueOf(variable corev1.EnvVar) string {
	if variable.ValueFrom == nil {
		return variable.Value
	}
	if field := variable.ValueFrom.FieldRef; field != nil {
		pod := s.target.pod
		switch field.FieldPath {
		case "metadata.name":
			return pod.Name
		case "metadata.namespace":
			return pod.Namespace
		case "metadata.uid":
			return string(pod.UID)
		case "spec.nodeName":
			return pod.Spec.NodeName
		case "spec.serviceAccountName":
			return pod.Spec.ServiceAccountName
		case "status.podIP":
			return pod.Status.PodIP
		case "status.hostIP":
			return pod.Status.HostIP
		}
	}
	return ""
}
