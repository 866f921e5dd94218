package sops_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sopslib "github.com/getsops/sops/v3"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/sops"
	"github.com/fairlead-cd/fairlead/internal/render/sops/sopstest"
)

const secret = "correct-horse-battery"

func TestEncryptedFilesOfEveryFormatAreDecrypted(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	in := render.Inputs{External: sopstest.Holding(t, identity)}
	group := []sopslib.KeyGroup{sopstest.Age(t, recipient)}
	for name, c := range map[string]struct {
		file string
		f    sopstest.File
		want string
	}{
		"YAML": {"values.yaml", sopstest.File{Plain: "a: " + secret + "\nnumber: 5\nb: true\nf: 1.5\nlist: [x, {z: \"007\"}]\nempty: \"\"\nnothing: null\nplain_unencrypted: seen\n"},
			"a: " + secret + "\nnumber: 5\nb: true\nf: 1.5\nlist:\n  - x\n  - z: \"007\"\nempty: \"\"\nnothing: null\nplain_unencrypted: seen\n"},
		"YAML of several documents":       {"m.yml", sopstest.File{Plain: "a: one\n---\nb: two\n"}, "a: one\n---\nb: two\n"},
		"YAML with text of several lines": {"m.yaml", sopstest.File{Plain: "a: |\n  one\n  two\n"}, "a: |\n  one\n  two\n"},
		"JSON":                            {"m.json", sopstest.File{Format: sopstest.JSON, Plain: `{"a": "x", "n": 9007199254740993, "l": [1.5, null]}`}, "{\n  \"a\": \"x\",\n  \"n\": 9007199254740993,\n  \"l\": [\n    1.5,\n    null\n  ]\n}\n"},
		"JSON in a YAML file":             {"m.yaml", sopstest.File{Format: sopstest.JSON, Plain: `{"a": "x"}`}, "{\"a\": x}\n"},
		"dotenv":                          {"db.env", sopstest.File{Format: sopstest.Dotenv, Plain: "USER=shop\nPASSWORD=" + secret + "\n"}, "USER=shop\nPASSWORD=" + secret + "\n"},
		"dotenv under another name":       {"db.properties", sopstest.File{Format: sopstest.Dotenv, Plain: "USER=shop\n"}, "USER=shop\n"},
		"INI":                             {"db.ini", sopstest.File{Format: sopstest.INI, Plain: "db: {user: shop}\n"}, "[db]\nuser = shop\n"},
		"any file in an envelope":         {"tls.key", sopstest.File{Format: sopstest.Binary, Plain: "\x00binary\nkey"}, "\x00binary\nkey"},
		"only some values encrypted": {"s.yaml", sopstest.File{Plain: "apiVersion: v1\nkind: Secret\nstringData: {a: b}\n", Edit: func(m *sopslib.Metadata) {
			m.UnencryptedSuffix, m.EncryptedRegex = "", "^(data|stringData)$"
		}}, "apiVersion: v1\nkind: Secret\nstringData:\n  a: b\n"},
		"a MAC over encrypted values alone": {"s.yaml", sopstest.File{Plain: "kind_unencrypted: Secret\na: b\n", Edit: func(m *sopslib.Metadata) {
			m.MACOnlyEncrypted = true
		}}, "kind_unencrypted: Secret\na: b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.Groups = group
			encrypted := sopstest.Encrypt(t, c.f)
			if strings.Contains(encrypted, secret) || !sops.Encrypted(c.file, []byte(encrypted)) {
				t.Fatalf("not encrypted:\n%s", encrypted)
			}
			got, err := sops.Decrypt(t.Context(), in, "dir/"+c.file, []byte(encrypted))
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(string(got)) != strings.TrimSpace(c.want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestFilesThatMerelyMentionSOPSStayAsTheyAre(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	in := render.Inputs{External: sopstest.Holding(t, identity)}
	for name, c := range map[string]struct{ file, content string }{
		"a plain file":                {"a.yaml", "a: b\n"},
		"a chart's values named sops": {"values.yaml", "sops:\n  enabled: true\n  version: ENC[\n"},
		"a comment":                   {"a.yaml", "# ENC[ is how sops marks\na: b\n"},
		"an encrypted file in a text": {"cm.yaml", "kind: ConfigMap\ndata:\n  f: |\n    sops:\n      mac: ENC[AES256_GCM]\n"},
		"an object that the cluster opens": {"s.yaml", "apiVersion: isindir.github.com/v1alpha3\nkind: SopsSecret\n" +
			sopstest.ForAge(t, "spec: {a: b}\n", recipient)},
		"a file that is no YAML": {"t.yaml", "sops: {{ .x }}\nmac: ENC[\n"},
		"a file that is no JSON": {"t.json", `{"sops": ENC[`},
		"JSON that mentions it":  {"t.json", `{"sops": "ENC[", "a": 1}`},
		"an env file of SOPS":    {"t.env", "A=sops_mac=ENC[\n"},
		"nothing":                {"t.yaml", ""},
		"a list":                 {"t.yaml", "- sops\n- ENC[\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sops.Decrypt(t.Context(), in, c.file, []byte(c.content))
			if err != nil || string(got) != c.content {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestWithoutAKeyTheErrorNamesFileAndRecipients(t *testing.T) {
	_, recipient := sopstest.Identity(t)
	_, second := sopstest.Identity(t)
	other, otherRecipient := sopstest.Identity(t)
	content := []byte(sopstest.ForAge(t, "a: "+secret+"\n", recipient, second))
	for name, c := range map[string]struct {
		external render.External
		says     []string
	}{
		"another key":   {sopstest.Holding(t, other), []string{"a/b.yaml", "age " + recipient, "age " + second, "project shop has age " + otherRecipient}},
		"no key":        {sopstest.Holding(t), []string{"a/b.yaml", recipient, "project shop has no keys", "fairlead.dev/secret-type: sops-keys"}},
		"nobody to ask": {nil, []string{"a/b.yaml", recipient, "not available here"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sops.Decrypt(t.Context(), render.Inputs{External: c.external}, "a/b.yaml", content)
			if !errors.Is(err, sops.ErrNoKey) {
				t.Fatalf("got %v", err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q is not in: %v", s, err)
				}
			}
			if strings.Contains(err.Error(), other) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "ENC[") {
				t.Errorf("content in: %v", err)
			}
		})
	}
}

func TestAnyKeyOfAGroupWillDo(t *testing.T) {
	_, first := sopstest.Identity(t)
	identity, second := sopstest.Identity(t)
	content := sopstest.ForAge(t, "a: b\n", first, second)
	got, err := sops.Decrypt(t.Context(), render.Inputs{External: sopstest.Holding(t, identity)}, "a.yaml", []byte(content))
	if err != nil || string(got) != "a: b\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestKeyGroupsNeedAsManyAsTheirThreshold(t *testing.T) {
	a, toA := sopstest.Identity(t)
	b, toB := sopstest.Identity(t)
	_, toC := sopstest.Identity(t)
	content := []byte(sopstest.Encrypt(t, sopstest.File{
		Plain:  "a: " + secret + "\n",
		Groups: []sopslib.KeyGroup{sopstest.Age(t, toA), sopstest.Age(t, toB), sopstest.Age(t, toC)}, Threshold: 2,
	}))
	got, err := sops.Decrypt(t.Context(), render.Inputs{External: sopstest.Holding(t, a, b)}, "a.yaml", content)
	if err != nil || string(got) != "a: "+secret+"\n" {
		t.Errorf("with two of three: %q, %v", got, err)
	}
	_, err = sops.Decrypt(t.Context(), render.Inputs{External: sopstest.Holding(t, a)}, "a.yaml", content)
	if !errors.Is(err, sops.ErrNoKey) {
		t.Fatalf("with one of three: %v", err)
	}
	wanted, _, _ := strings.Cut(err.Error(), ";")
	if !strings.Contains(wanted, "3 key groups, of which 2 are needed") || !strings.Contains(wanted, toB) ||
		!strings.Contains(wanted, toC) || strings.Contains(wanted, toA) {
		t.Errorf("with one of three: %v", err)
	}
}

func TestChangedFilesAreRefused(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	in := render.Inputs{External: sopstest.Holding(t, identity)}
	const plain = "db:\n  password: " + secret + "\n  user: shop\nopen_unencrypted: fine\n"
	content := sopstest.ForAge(t, plain, recipient)
	line := func(key string) string {
		for l := range strings.Lines(content) {
			if strings.Contains(l, key+":") {
				return l
			}
		}
		t.Fatalf("no line %s in\n%s", key, content)
		return ""
	}
	for name, c := range map[string]struct {
		old, replacement string
		is               error
		says             string
	}{
		"a value in the clear was changed": {"fine", "evil-text", sops.ErrTampered, "MAC does not match"},
		"a value was written in the clear": {line("password"), "    password: another-secret-value\n", sops.ErrTampered, "the value of db.password"},
		"values were swapped":              {line("password"), strings.Replace(line("user"), "user", "password", 1), sops.ErrTampered, "the value of db.password"},
		"a number was put in":              {line("password"), "    password: 12345678\n", sops.ErrTampered, "should be encrypted"},
		"the MAC was replaced":             {line("    mac"), "    mac: ENC[AES256_GCM,data:aaaa,iv:bbbb,tag:cccc,type:str]\n", sops.ErrTampered, "MAC cannot be decrypted"},
		"the MAC was taken away":           {line("    mac"), "", sops.ErrTampered, "MAC"},
		"the keys were taken away":         {"age:", "agee:", sops.ErrMalformed, "damaged"},
		"the time is none":                 {line("lastmodified"), "    lastmodified: evil-text\n", sops.ErrMalformed, "damaged"},
		"aliases were put in":              {"open_unencrypted: fine", "open_unencrypted: &x fine\nmore_unencrypted: *x", sops.ErrMalformed, "aliases"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(content, c.old, c.replacement, 1)
			if changed == content {
				t.Fatalf("%q is not in\n%s", c.old, content)
			}
			got, err := sops.Decrypt(t.Context(), in, "a/b.yaml", []byte(changed))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "a/b.yaml ") {
				t.Fatalf("got %q, %v", got, err)
			}
			for _, s := range []string{secret, "another-secret-value", "12345678", "evil-text", "ENC["} {
				if strings.Contains(err.Error(), s) {
					t.Errorf("%s is in: %v", s, err)
				}
			}
		})
	}
}

func TestADocumentThatIsEncryptedAloneIsRefused(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	in := render.Inputs{External: sopstest.Holding(t, identity)}
	content := "a: b\n---\n" + sopstest.ForAge(t, "c: d\n", recipient)
	_, err := sops.Decrypt(t.Context(), in, "a.yaml", []byte(content))
	if !errors.Is(err, sops.ErrMalformed) || !strings.Contains(err.Error(), "document 2") {
		t.Errorf("got %v", err)
	}
}

func TestAFileForTooManyKeysIsRefused(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	group := sopslib.KeyGroup{}
	for range 101 {
		group = append(group, sopstest.Age(t, recipient)...)
	}
	content := sopstest.Encrypt(t, sopstest.File{Plain: "a: b\n", Groups: []sopslib.KeyGroup{group}})
	_, err := sops.Decrypt(t.Context(), render.Inputs{External: sopstest.Holding(t, identity)}, "a.yaml", []byte(content))
	if !errors.Is(err, sops.ErrMalformed) || !strings.Contains(err.Error(), "101 keys") {
		t.Errorf("got %v", err)
	}
}

func TestALongFileIsRefusedOnlyWhenItIsEncrypted(t *testing.T) {
	long := "# " + strings.Repeat("x", 17<<20) + "\n"
	if got, err := sops.Decrypt(t.Context(), render.Inputs{}, "a.yaml", []byte(long)); err != nil || len(got) != len(long) {
		t.Errorf("plain: %d bytes, %v", len(got), err)
	}
	_, err := sops.Decrypt(t.Context(), render.Inputs{}, "a.yaml", []byte(long+"sops: {mac: ENC[}\n"))
	if !errors.Is(err, render.ErrTooLarge) {
		t.Errorf("encrypted: %v", err)
	}
}

func TestCancellingEndsTheSearchForAKey(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	content := sopstest.ForAge(t, "a: b\n", recipient)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("nobody waits")
	cancel(why)
	_, err := sops.Decrypt(ctx, render.Inputs{External: sopstest.Holding(t, identity)}, "a.yaml", []byte(content))
	if !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecrypt(f *testing.F) {
	identity, recipient := sopstest.Identity(f)
	in := render.Inputs{External: sopstest.Holding(f, identity)}
	group := []sopslib.KeyGroup{sopstest.Age(f, recipient)}
	for name, file := range map[string]sopstest.File{
		"a.yaml": {Plain: "a: b\nc: [d, {e: 1}]\n"},
		"a.json": {Format: sopstest.JSON, Plain: `{"a": ["b"]}`},
		"a.env":  {Format: sopstest.Dotenv, Plain: "A=b\n"},
		"a.ini":  {Format: sopstest.INI, Plain: "a: {b: c}\n"},
		"a":      {Format: sopstest.Binary, Plain: "data"},
	} {
		file.Groups = group
		f.Add(name, sopstest.Encrypt(f, file))
	}
	f.Add("a.yaml", "sops:\n  mac: ENC[x]\n  kms: [{arn: a, context: {b: null}}]\n  lastmodified: 2020-01-01T00:00:00Z\n")
	f.Add("a.env", "sops_mac=ENC[\nsops_age__list_999999999__map_enc=x\n")
	f.Add("a.yaml", "a: &a [*a]\nsops: {mac: ENC[}\n")
	f.Fuzz(func(t *testing.T, name, content string) {
		got, err := sops.Decrypt(t.Context(), in, name, []byte(content))
		if err == nil && !sops.Encrypted(name, []byte(content)) && string(got) != content {
			t.Errorf("a plain file was changed to %q", got)
		}
	})
}
