package access

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// tokenTimeout bounds one attempt to get a token from a cloud.
const tokenTimeout = 30 * time.Second

// tokenSource is a function that makes a token.
type tokenSource func(ctx context.Context) (*oauth2.Token, error)

// Token implements oauth2.TokenSource.
func (f tokenSource) Token() (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout)
	defer cancel()
	return f(ctx)
}

// authenticate sends a token with each request, and makes a new one a little before it expires or when the API server
// does not accept it.
func authenticate(out *rest.Config, tokens tokenSource) {
	out.Wrap(transport.ResettableTokenSourceWrapTransport(transport.NewCachedTokenSource(tokens)))
}

// helperTokens does what the helper of Argo CD's images does with these arguments.
func helperTokens(c v1alpha1.ExecProviderConfig) (tokenSource, error) {
	provider := ""
	if len(c.Args) > 0 {
		provider = c.Args[0]
	}
	switch provider {
	case "aws":
		aws, err := awsArguments(c.Args[1:])
		if err != nil {
			return nil, err
		}
		return awsTokens(aws), nil
	case "gcp":
		return googleToken, nil
	case "azure":
		return azureTokens(c.Env), nil
	default:
		return nil, fmt.Errorf("execProviderConfig names %s with an unknown provider; its first argument has to be aws, gcp or azure", argoHelper)
	}
}

// googleToken is a token of the identity that this process has in Google Cloud.
func googleToken(ctx context.Context) (*oauth2.Token, error) {
	credentials, err := google.FindDefaultCredentials(ctx,
		"https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")
	if err != nil {
		return nil, fmt.Errorf("finding the identity of this process in Google Cloud: %w", err)
	}
	token, err := credentials.TokenSource.Token()
	if err != nil {
		return nil, fmt.Errorf("getting a token of Google Cloud: %w", err)
	}
	return token, nil
}

// azureServer is the application that API servers of AKS are in Azure.
const azureServer = "6dae42f8-4368-4678-94ff-3960e28e3630"

// azureTokens are tokens of an identity in Azure: the workload identity that env states, or that of this process.
func azureTokens(env map[string]string) tokenSource {
	return func(ctx context.Context) (*oauth2.Token, error) {
		var credential azcore.TokenCredential
		var err error
		if env["AAD_LOGIN_METHOD"] == "workloadidentity" || env["AZURE_FEDERATED_TOKEN_FILE"] != "" {
			credential, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
				ClientID: env["AZURE_CLIENT_ID"], TenantID: env["AZURE_TENANT_ID"], TokenFilePath: env["AZURE_FEDERATED_TOKEN_FILE"],
			})
		} else {
			credential, err = azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{TenantID: env["AZURE_TENANT_ID"]})
		}
		if err != nil {
			return nil, fmt.Errorf("finding the identity of this process in Azure: %w", err)
		}
		server := env["AAD_SERVER_APPLICATION_ID"]
		if server == "" {
			server = azureServer
		}
		token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{server + "/.default"}})
		if err != nil {
			return nil, fmt.Errorf("getting a token of Azure: %w", err)
		}
		return &oauth2.Token{AccessToken: token.Token, Expiry: token.ExpiresOn}, nil
	}
}
