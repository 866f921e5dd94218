package sops

import (
	"context"
	"errors"

	"github.com/getsops/sops/v3/keyservice"
	"google.golang.org/grpc"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// holder is a key service that forwards to the process that holds the keys.
type holder struct {
	ctx      context.Context
	from     render.External
	refusals []refusal
}

var _ keyservice.KeyServiceClient = (*holder)(nil)

// refusal is why one master key did not give the data key.
type refusal struct {
	key MasterKey
	err error
}

// Decrypt implements keyservice.KeyServiceClient.
func (h *holder) Decrypt(_ context.Context, req *keyservice.DecryptRequest, _ ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
	kind, key, err := masterKeyOf(req.GetKey())
	var plain []byte
	if err == nil {
		plain, err = h.ask(kind, key, req.GetCiphertext())
	}
	if err != nil {
		h.refusals = append(h.refusals, refusal{key, err})
		return nil, err
	}
	return &keyservice.DecryptResponse{Plaintext: plain}, nil
}

func (h *holder) ask(kind string, key MasterKey, ciphertext []byte) ([]byte, error) {
	if err := h.ctx.Err(); err != nil {
		return nil, context.Cause(h.ctx)
	}
	question, err := encode(kind, key, ciphertext)
	if err != nil {
		return nil, err
	}
	plain, err := h.from.DataKey(h.ctx, question)
	if err == nil && len(plain) == 0 {
		return nil, errors.New("the data key is empty")
	}
	return plain, err
}

// Encrypt implements keyservice.KeyServiceClient. Nothing is ever encrypted here.
func (h *holder) Encrypt(context.Context, *keyservice.EncryptRequest, ...grpc.CallOption) (*keyservice.EncryptResponse, error) {
	return nil, errors.ErrUnsupported
}
