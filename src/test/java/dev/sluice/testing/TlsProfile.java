package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The profile of the gateway, with a second port for TLS. */
public class TlsProfile extends GatewayProfile {

    private static final String PASSWORD = "certificate";

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(super.getConfigOverrides());
        settings.put("quarkus.http.test-ssl-port", "0");
        settings.put("quarkus.http.ssl.certificate.key-store-file", createKeyStore().toString());
        settings.put("quarkus.http.ssl.certificate.key-store-file-type", "PKCS12");
        settings.put("quarkus.http.ssl.certificate.key-store-password", PASSWORD);
        return settings;
    }

    private static Path createKeyStore() {
        try {
            var store = Files.createTempDirectory("sluice-tls").resolve("server.p12");
            var keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                    "-genkeypair", "-alias", "server", "-keyalg", "EC", "-dname", "CN=sluice", "-ext", "SAN=ip:127.0.0.1",
                    "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", PASSWORD).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            if (keytool.waitFor() != 0) {
                throw new IllegalStateException("keytool has failed");
            }
            return store;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
