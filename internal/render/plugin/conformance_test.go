package plugin_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/server"
)

// The tests of this file speak the protocol on their own: plain gRPC, with messages put together byte by byte from the
// documented field numbers, so that both sides here are measured by something that shares no code with them.

// raw passes bytes through gRPC as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// field is a field with a length.
func field(number byte, content string) string {
	length := ""
	for n := len(content); ; n >>= 7 {
		if n < 128 {
			length += string([]byte{byte(n)})
			break
		}
		length += string([]byte{byte(n) | 0x80})
	}
	return string([]byte{number<<3 | 2}) + length + content
}

// fields takes a message apart: what has a length by its number, and numbers as text.
func fields(t *testing.T, wire string) map[byte][]string {
	t.Helper()
	found := map[byte][]string{}
	varint := func() int {
		n := 0
		for shift := 0; len(wire) > 0; shift += 7 {
			b := wire[0]
			wire = wire[1:]
			n |= int(b&0x7f) << shift
			if b < 0x80 {
				break
			}
		}
		return n
	}
	for len(wire) > 0 {
		tag := varint()
		number := byte(tag >> 3)
		switch tag & 7 {
		case 0:
			found[number] = append(found[number], fmt.Sprint(varint()))
		case 2:
			n := varint()
			found[number] = append(found[number], wire[:n])
			wire = wire[n:]
		default:
			t.Fatalf("a field of type %d", tag&7)
		}
	}
	return found
}

// repository is a compressed tar file as a repo server sends it.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for name, content := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644, Format: tar.FormatPAX, AccessTime: time.Unix(1e9, 5), ModTime: time.Unix(1e9, 7)}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// upload streams an archive to a method in chunks of 1024 bytes, and gives the answer.
func upload(t *testing.T, conn *grpc.ClientConn, method, path, env, archive, checksum string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, "/plugin.ConfigManagementPluginService/"+method)
	if err != nil {
		t.Fatal(err)
	}
	size := "\x20" + string([]byte{byte(len(archive))&0x7f | 0x80, byte(len(archive)>>7) & 0x7f}) // field 4, up to 16383
	messages := []string{field(1, field(1, "demo")+field(2, path)+field(3, checksum)+size+env)}
	for chunk := range slices.Chunk([]byte(archive), 1024) {
		messages = append(messages, field(2, field(1, string(chunk))))
	}
	for _, m := range messages {
		b := []byte(m)
		if err := stream.SendMsg(&b); err != nil {
			break // the answer says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	var answer []byte
	err = stream.RecvMsg(&answer)
	return string(answer), err
}

func sum(content string) string {
	s := sha256.Sum256([]byte(content))
	return hex.EncodeToString(s[:])
}

// serve runs a plugin of a configuration in this process until the test ends.
func serve(t *testing.T, o server.Options, config string) *server.Server {
	t.Helper()
	c, _, err := server.ParseConfig([]byte("apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\n" + config))
	if err != nil {
		t.Fatal(err)
	}
	o.Config = c
	if o.SocketDir == "" {
		o.SocketDir = socketDir(t)
	}
	if o.WorkDir == "" {
		o.WorkDir = filepath.Join(t.TempDir(), "work")
	}
	o.Environ = append(o.Environ, "PATH=/usr/local/bin:/usr/bin:/bin")
	o.Logger = slog.New(slog.DiscardHandler)
	s := server.New(o)
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // ends after the test's own
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	awaitSocket(t, s.Socket())
	return s
}

func dialRaw(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestAServerAnswersARepoServerOfAnotherMake(t *testing.T) {
	s := serve(t, server.Options{}, `
metadata: {name: foreign}
spec:
  init: {command: [sh, -c, 'echo $ARGOCD_ENV_WHO > init']}
  generate: {command: [sh, -c, 'printf "kind: A\nfrom: %s\nfile: %s\n---\n{\"kind\": \"B\"}\n" "$(cat init)" "$(cat ../common)"']}
  discover: {find: {command: [sh, -c, 'ls *.marker 2>/dev/null; true']}}
  parameters:
    static: [{name: fixed, collectionType: array, array: [x]}]
    dynamic: {command: [sh, -c, 'echo "[{\"name\": \"found\", \"string\": \"$(ls)\"}]"']}
  provideGitCreds: true
`)
	conn := dialRaw(t, s.Socket())
	files := repository(t, map[string]string{"apps/demo/a.marker": "", "apps/common": "shared", "apps/other/x": ""})
	env := field(5, field(1, "ARGOCD_ENV_WHO")+field(2, "somebody"))

	t.Run("CheckPluginConfiguration", func(t *testing.T) {
		var answer, empty []byte
		if err := conn.Invoke(t.Context(), "/plugin.ConfigManagementPluginService/CheckPluginConfiguration", &empty, &answer); err != nil {
			t.Fatal(err)
		}
		if string(answer) != "\x08\x01\x10\x01" { // isDiscoveryConfigured = 1, provideGitCreds = 2
			t.Errorf("answer %q", answer)
		}
	})
	t.Run("MatchRepository", func(t *testing.T) {
		for path, want := range map[string]string{"apps/demo": "\x08\x01\x10\x01", "apps/other": "\x10\x01"} {
			if answer, err := upload(t, conn, "MatchRepository", path, env, files, sum(files)); err != nil || answer != want {
				t.Errorf("%s: answer %q, %v", path, answer, err)
			}
		}
	})
	t.Run("GenerateManifest", func(t *testing.T) {
		answer, err := upload(t, conn, "GenerateManifest", "apps/demo", env, files, sum(files))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{`{"file":"shared","from":"somebody","kind":"A"}`, `{"kind":"B"}`}
		got := fields(t, answer)[1]
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], " ", "")
		}
		if !slices.Equal(got, want) {
			t.Errorf("manifests %q, want %q", got, want)
		}
	})
	t.Run("GetParametersAnnouncement", func(t *testing.T) {
		answer, err := upload(t, conn, "GetParametersAnnouncement", "apps/demo", env, files, sum(files))
		if err != nil {
			t.Fatal(err)
		}
		got := fields(t, answer)[1]
		if len(got) != 2 || fields(t, got[0])[1][0] != "found" || fields(t, got[0])[7][0] != "a.marker" ||
			fields(t, got[1])[1][0] != "fixed" || fields(t, got[1])[8][0] != "x" {
			t.Errorf("parameters %q", got)
		}
	})
	t.Run("a wrong checksum", func(t *testing.T) {
		if _, err := upload(t, conn, "GenerateManifest", "apps/demo", env, files, sum("else")); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a path that leaves", func(t *testing.T) {
		if _, err := upload(t, conn, "GenerateManifest", "../..", env, files, sum(files)); err == nil || !strings.Contains(err.Error(), "not below the root") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no archive", func(t *testing.T) {
		if _, err := upload(t, conn, "GenerateManifest", "apps/demo", env, "plain text", sum("plain text")); err == nil || !strings.Contains(err.Error(), "gzip") {
			t.Errorf("error %v", err)
		}
	})
}

// foreign is a plugin's server of another make. It answers with bytes, and keeps what it was sent.
type foreign struct {
	answers map[string]string
	mu      sync.Mutex
	sent    map[string][]string
}

// messages are those that a method was sent.
func (f *foreign) messages(method string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[method]
}

func (f *foreign) serve(t *testing.T, socket string) {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	f.sent = map[string][]string{}
	s := grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		method = strings.TrimPrefix(method, "/plugin.ConfigManagementPluginService/")
		var messages []string
		for {
			var m []byte
			if err := stream.RecvMsg(&m); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
			messages = append(messages, string(m))
		}
		f.mu.Lock()
		f.sent[method] = messages
		f.mu.Unlock()
		answer := []byte(f.answers[method])
		return stream.SendMsg(&answer)
	}))
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
}

func TestAClientAsksAPluginOfAnotherMake(t *testing.T) {
	dir := socketDir(t)
	f := &foreign{answers: map[string]string{
		"CheckPluginConfiguration":  "\x08\x01",
		"MatchRepository":           "\x08\x01\x10\x01",
		"GenerateManifest":          field(1, "{\n\t\"kind\": \"A\"\n}") + field(1, "kind: B\n") + field(15, "later"),
		"GetParametersAnnouncement": field(1, field(1, "p")+"\x20\x01"+field(6, "map")+field(9, field(1, "k")+field(2, "v"))),
	}}
	f.serve(t, filepath.Join(dir, "other-v2.sock"))
	client := plugin.NewClient(plugin.ClientOptions{SocketDir: dir, ChunkSize: 100, TempDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	defer client.Close()
	request := plugin.Request{
		PluginCall: render.PluginCall{Name: "other-v2", Path: "apps/demo", Env: []string{"A=1", "B=x=y", "C="}},
		AppName:    "demo", Variables: []string{"ARGOCD_APP_REVISION=abc"},
		Files: fstest.MapFS{"apps/demo/a.yaml": {Data: []byte(strings.Repeat("0123456789", 50))}, "README": {Data: []byte("r")}},
	}
	out, err := client.Generate(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if want := "{\"kind\":\"A\"}\n---\nkind: B\n"; string(out) != want {
		t.Errorf("manifests %q, want %q", out, want)
	}
	for _, method := range []string{"MatchRepository", "GenerateManifest"} {
		messages := f.messages(method)
		if len(messages) < 3 {
			t.Fatalf("%s: %d messages", method, len(messages))
		}
		metadata := fields(t, fields(t, messages[0])[1][0])
		var archive string
		for _, m := range messages[1:] {
			archive += fields(t, fields(t, m)[2][0])[1][0]
		}
		if metadata[1][0] != "demo" || metadata[2][0] != "apps/demo" || metadata[3][0] != sum(archive) || metadata[4][0] != fmt.Sprint(len(archive)) {
			t.Errorf("%s: metadata %q", method, metadata)
		}
		want := []string{
			field(1, "ARGOCD_APP_REVISION") + field(2, "abc"), field(1, "A") + field(2, "1"), field(1, "B") + field(2, "x=y"), field(1, "C"),
		}
		if !slices.Equal(metadata[5], want) {
			t.Errorf("%s: environment %q, want %q", method, metadata[5], want)
		}
		if names := archived(t, archive); !slices.Equal(names, []string{"README", "apps/", "apps/demo/", "apps/demo/a.yaml"}) {
			t.Errorf("%s: files %q", method, names)
		}
	}
	if empty := f.messages("CheckPluginConfiguration"); len(empty) != 1 || empty[0] != "" {
		t.Errorf("google.protobuf.Empty was sent as %q", empty)
	}
	parameters, err := client.Parameters(t.Context(), request)
	if err != nil || len(parameters) != 1 || parameters[0].Name != "p" || !parameters[0].Required || parameters[0].Map["k"] != "v" {
		t.Errorf("parameters %+v, %v", parameters, err)
	}
}

func archived(t *testing.T, archive string) []string {
	t.Helper()
	zip, err := gzip.NewReader(strings.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}
