package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// readApplications reads the Applications of files and folders, in the order of
// their names. Other objects are passed over.
func readApplications(names []string) ([]*v1alpha1.Application, error) {
	var apps []*v1alpha1.Application
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		dir, file := filepath.Split(name)
		if info.IsDir() {
			dir, file = name, "."
		} else if dir == "" {
			dir = "."
		}
		found, err := applicationsIn(os.DirFS(dir), file, true)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		apps = append(apps, found...)
	}
	return apps, nil
}

// applicationsIn finds the Applications of a file, or of all files of a folder.
// strict says that a file which cannot be read is an error.
func applicationsIn(fsys fs.FS, root string, strict bool) ([]*v1alpha1.Application, error) {
	var apps []*v1alpha1.Application
	err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !d.Type().IsRegular() {
			if d.IsDir() && name != root && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		switch path.Ext(name) {
		case ".yaml", ".yml", ".json":
		default:
			return nil
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			if strict {
				return err
			}
			return nil
		}
		if !bytes.Contains(content, []byte("argoproj.io/")) || !bytes.Contains(content, []byte("Application")) {
			return nil
		}
		objects, _, err := render.ParseManifests(name, content)
		if err != nil {
			if strict {
				return err
			}
			return nil // a template of a chart, for example
		}
		for _, o := range objects {
			if o.GetKind() != v1alpha1.ApplicationKind || o.GroupVersionKind().Group != v1alpha1.Group {
				continue
			}
			app := &v1alpha1.Application{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, app); err != nil {
				return fmt.Errorf("%s: Application %s: %w", name, o.GetName(), err)
			}
			apps = append(apps, app)
		}
		return nil
	})
	return apps, err
}

// readSettings reads the Secrets of a file, and the ConfigMaps into a map.
func readSettings(name string, configMaps map[string]map[string]string) ([]settings.LabelledSecret, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	objects, _, err := render.ParseManifests(name, content)
	if err != nil {
		return nil, err
	}
	var secrets []settings.LabelledSecret
	for _, o := range objects {
		switch o.GetKind() {
		case "ConfigMap":
			var cm corev1.ConfigMap
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &cm); err != nil {
				return nil, fmt.Errorf("%s: ConfigMap %s: %w", name, o.GetName(), err)
			}
			configMaps[cm.Name] = cm.Data
		case "Secret":
			var secret corev1.Secret
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &secret); err != nil {
				return nil, fmt.Errorf("%s: the Secret %s cannot be read; data has to be base64", name, o.GetName())
			}
			data := secret.Data
			if data == nil {
				data = map[string][]byte{}
			}
			for key, value := range secret.StringData {
				data[key] = []byte(value)
			}
			secrets = append(secrets, settings.LabelledSecret{
				Name: secret.Name, Type: secret.Labels["argocd.argoproj.io/secret-type"],
				Labels: secret.Labels, Annotations: secret.Annotations, Data: data,
			})
		}
	}
	return secrets, nil
}
