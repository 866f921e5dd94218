// Package server is the API of Fairlead over HTTP, with Argo CD's paths, JSON and error bodies, and the page.
//
// [New] takes the data access as small interfaces and gives a [Server]; [Server.Handler] is what it answers, and
// [Server.Serve] answers on a listener, with TLS by the certificate in the settings or in plain text.
//
// All calls stand in one table (routes.go). Each entry is either public or names the action that the caller must be
// allowed; the handler of an entry that is not public cannot run before [auth.Policy] has said yes, and asks again for
// each object that it gives out. A test walks the table.
//
// Changes of Applications reach streams through a [hub], which subscribes once and keeps for each stream only the last
// state of each Application that it has not sent yet: a slow client costs memory only up to the number of Applications.
package server
