// Package peer lets the components of one installation know each other when they run in several processes: mutual TLS
// with certificates of an authority of the installation's own.
//
// The authority lies in the Secret fairlead-peer-tls of the control plane's namespace. Whoever starts first and may do
// so creates it; the others take what is there. Each process makes its own certificate from it in memory, for one day,
// and a new one long before that is over. Whoever can read the Secret is a peer, nobody else is.
//
//	Open ──▶ Identity ──▶ ServerConfig, ClientConfig
//	            ▲
//	           Run   follows the Secret, and replaces the authority before it ends
//
// An authority is replaced in two steps, so that no connection is refused meanwhile. When its end is near, a new one is
// added to those that are trusted; a day later, when every process has seen it, it signs. The old one stays trusted
// until it ends.
package peer
