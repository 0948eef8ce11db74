package dev.sluice.proxies;

import java.nio.file.Path;
import java.util.List;

/** The example for Caddy. */
class CaddyProxyIT extends ProxyExample {

    CaddyProxyIT() {
        super("caddy", "caddy");
    }

    @Override
    List<String> command(Path program) {
        return List.of(program.toString(), "run", "--config", "Caddyfile");
    }

    @Override
    int statusWithoutSluice() {
        return 502;
    }
}
