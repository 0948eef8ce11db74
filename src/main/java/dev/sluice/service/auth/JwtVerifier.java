package dev.sluice.service.auth;

import java.net.URI;
import java.time.Duration;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Alternative;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Singleton;

import dev.sluice.fetch.DocumentFetcher;
import dev.sluice.service.config.ServiceConfig;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.jwt.auth.principal.DefaultJWTCallerPrincipalFactory;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.JWTCallerPrincipal;
import io.smallrye.jwt.auth.principal.JWTCallerPrincipalFactory;
import io.smallrye.jwt.auth.principal.ParseException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

/**
 * Verifies JWTs by SmallRye JWT, with two differences: keys at an http(s) URL are fetched asynchronously ({@link RemoteKeys}),
 * because SmallRye JWT lets each request block a worker thread for it, without a time limit; and {@code iat} is not required
 * (RFC 7519, section 4.1.6), unless a maximum age or lifetime is configured.
 */
@Alternative
@Priority(1)
@Singleton
class JwtVerifier extends JWTCallerPrincipalFactory {

    /** A time to live that is not positive lets SmallRye JWT accept tokens without {@code iat}. */
    private static final long WITHOUT_ISSUED_AT = -1;
    private static final long REFRESH_CHECK_MILLIS = 1000;

    private final DefaultJWTCallerPrincipalFactory verifier = new DefaultJWTCallerPrincipalFactory();
    private final JwtKeySettings keySettings;
    private final Instance<JWTAuthContextInfo> settings;
    /** Settings of the verification; null if no key is configured. Set before requests are accepted. */
    private volatile JWTAuthContextInfo effective;
    /** Null if the keys are not fetched. Set before requests are accepted. */
    private volatile RemoteKeys remoteKeys;
    private KeyFetcher fetcher;
    private long refreshTimer;

    JwtVerifier(JwtKeySettings keySettings, Instance<JWTAuthContextInfo> settings) {
        this.keySettings = keySettings;
        this.settings = settings;
    }

    void start(@Observes StartupEvent started, Vertx vertx, ServiceConfig config) {
        if (!keySettings.configured()) {
            return;
        }
        effective = withoutIssuedAt(settings.get());
        if (effective.getPublicKeyLocation() != null) {
            var location = URI.create(effective.getPublicKeyLocation());
            fetcher = new KeyFetcher(vertx, location, effective, config.jwt().timeout());
            remoteKeys = new RemoteKeys(DocumentFetcher.describe(location), fetcher::fetch,
                    text -> new FetchedKeys(text, effective), Duration.ofMinutes(effective.getJwksRefreshInterval()),
                    config.jwt().minRefreshInterval(), System::nanoTime);
            remoteKeys.refresh();
            refreshTimer = vertx.setPeriodic(REFRESH_CHECK_MILLIS, id -> remoteKeys.refresh());
        }
    }

    void stop(@Observes ShutdownEvent stopped, Vertx vertx) {
        if (fetcher != null) {
            vertx.cancelTimer(refreshTimer);
            fetcher.close();
        }
    }

    private static JWTAuthContextInfo withoutIssuedAt(JWTAuthContextInfo configured) {
        var effective = new JWTAuthContextInfo(configured);
        if (effective.getMaxTimeToLiveSecs() == null && effective.getTokenAge() == null) {
            effective.setMaxTimeToLiveSecs(WITHOUT_ISSUED_AT);
        }
        return effective;
    }

    /** Returns the settings of the verification. */
    JWTAuthContextInfo settings() {
        return effective;
    }

    /**
     * Waits until the keys are there that verify a token.
     *
     * @return completed if there is nothing to wait for; fails with {@link dev.sluice.identity.KeysUnavailableException}
     */
    Future<Void> requireKeys(String token) {
        var remote = remoteKeys;
        return remote == null ? Future.succeededFuture() : remote.require(CompactJws.keyId(token));
    }

    @Override
    public JWTCallerPrincipal parse(String token, JWTAuthContextInfo configured) throws ParseException {
        var remote = remoteKeys;
        if (remote == null) {
            return verifier.parse(token, effective);
        }
        var keys = remote.current();
        if (keys == null) {
            throw new ParseException("The keys have not been fetched");
        }
        return keys.verify(token);
    }
}
