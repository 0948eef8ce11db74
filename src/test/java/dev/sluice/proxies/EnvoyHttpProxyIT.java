package dev.sluice.proxies;

/** The example for Envoy's filter ext_authz over HTTP. */
class EnvoyHttpProxyIT extends EnvoyExample {

    EnvoyHttpProxyIT() {
        super("ext-authz-http.yaml");
    }
}
