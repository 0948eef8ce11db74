package dev.sluice.proxies;

import java.nio.file.Path;
import java.util.List;

/** The example for Haproxy. */
class HaproxyProxyIT extends ProxyExample {

    HaproxyProxyIT() {
        super("haproxy", "haproxy");
    }

    @Override
    List<String> command(Path program) {
        return List.of(program.toString(), "-f", "haproxy.cfg");
    }

    @Override
    int statusWithoutSluice() {
        return 200;
    }
}
