package settings

import (
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render/sops/keyring"
)

// sopsKeys reads the Secrets with keys for encrypted files. A Secret serves the projects that fairlead.dev/project names,
// as an annotation or in its data, separated by commas; without it, every project.
func sopsKeys(p *parser, secrets []LabelledSecret) *keyring.Keyring {
	secrets = slices.Clone(secrets)
	sortByName(secrets)
	var sets []keyring.Keys
	for _, secret := range secrets {
		object := "Secret " + secret.Name
		projects, ok := keyProjects(secret)
		if !ok {
			p.warn(object, keyProject, "it names no project, so that the keys serve none; name some, or take it away to serve all")
			continue
		}
		data := map[string][]byte{}
		for field, value := range secret.Data {
			if field != keyProject {
				data[field] = value
			}
		}
		keys, problems := keyring.Parse(object, projects, data)
		for _, problem := range problems {
			p.warn(object, problem.Field, problem.Message)
		}
		sets = append(sets, keys)
	}
	return keyring.New(sets, keyring.Options{})
}

// keyProjects are the projects that a Secret's keys serve; nil is all of them. It is not ok when the Secret is restricted,
// but to no project.
func keyProjects(secret LabelledSecret) (projects []string, ok bool) {
	annotation, annotated := secret.Annotations[keyProject]
	field, stated := secret.Data[keyProject]
	if !annotated && !stated {
		return nil, true
	}
	for name := range strings.SplitSeq(annotation+","+string(field), ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(projects, name) {
			projects = append(projects, name)
		}
	}
	return projects, len(projects) > 0
}
