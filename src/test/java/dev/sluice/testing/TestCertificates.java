package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Certificates and keys for a test, as PEM files. They belong to a certificate authority of the test, named {@code ca}. */
public final class TestCertificates {

    public static final String AUTHORITY = "ca";

    private static final String PASSWORD = "certificate";

    private final Path directory;

    public TestCertificates() {
        try {
            directory = Files.createTempDirectory("sluice-certificates");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        create(AUTHORITY, List.of("-ext", "bc:c"));
    }

    /**
     * Issues a certificate.
     *
     * @param name its name, and that of its subject
     * @param alternatives names of the subject, such as {@code dns:localhost,ip:127.0.0.1}
     */
    public TestCertificates issue(String name, String alternatives) {
        create(name, List.of("-signer", AUTHORITY, "-ext", "SAN=" + alternatives));
        return this;
    }

    /** Creates a certificate of no authority. */
    public TestCertificates selfSigned(String name, String alternatives) {
        create(name, List.of("-ext", "SAN=" + alternatives));
        return this;
    }

    private void create(String name, List<String> options) {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name,
                "-storetype", "PKCS12", "-keystore", store().toString(), "-storepass", PASSWORD));
        command.addAll(options);
        try {
            var keytool = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            if (keytool.waitFor() != 0) {
                throw new IllegalStateException("keytool has failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private Path store() {
        return directory.resolve("store.p12");
    }

    private KeyStore load() {
        try {
            return KeyStore.getInstance(store().toFile(), PASSWORD.toCharArray());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a certificate to a file. */
    public Path certificate(String name) {
        try {
            return write(name + ".pem", "CERTIFICATE", load().getCertificate(name).getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Writes a private key to a file. */
    public Path key(String name) {
        try {
            return write(name + ".key", "PRIVATE KEY", load().getKey(name, PASSWORD.toCharArray()).getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private Path write(String file, String type, byte[] content) {
        var text = "-----BEGIN " + type + "-----\n"
                + Base64.getMimeEncoder(64, new byte[]{'\n'}).encodeToString(content) + "\n-----END " + type + "-----\n";
        try {
            return Files.writeString(directory.resolve(file), text, StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Returns the settings of a server.
     *
     * @param name certificate of the server
     * @param trusted certificate that those of clients must have been issued by
     */
    public SSLContext server(String name, String trusted) {
        try {
            var all = load();
            var keys = KeyStore.getInstance("PKCS12");
            keys.load(null, null);
            keys.setKeyEntry(name, all.getKey(name, PASSWORD.toCharArray()), PASSWORD.toCharArray(),
                    all.getCertificateChain(name));
            var keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keyManagers.init(keys, PASSWORD.toCharArray());
            var anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            anchors.setCertificateEntry(trusted, all.getCertificate(trusted));
            var trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trustManagers.init(anchors);
            var context = SSLContext.getInstance("TLS");
            context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
