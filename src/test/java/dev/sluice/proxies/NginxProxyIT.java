package dev.sluice.proxies;

import java.nio.file.Path;
import java.util.List;

/** The example for Nginx. */
class NginxProxyIT extends ProxyExample {

    NginxProxyIT() {
        super("nginx", "nginx");
    }

    @Override
    List<String> command(Path program) {
        return List.of(program.toString(), "-p", ".", "-c", "nginx.conf");
    }

    @Override
    int statusWithoutSluice() {
        return 500;
    }
}
