package dev.sluice.service.alerts;

import java.time.Duration;
import java.util.ArrayList;
import java.util.function.BiFunction;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.store.ThrottledLog;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/**
 * Targets of the alerts of subjects: the settings {@code alerts} of a stored identity, which override URL and thresholds each, and
 * otherwise those of the configuration. Cached for a minute, also if there is no identity. Thread-safe.
 */
final class AlertTargets {

    /** Time that a target is cached, in seconds. */
    static final long MAX_AGE_SECONDS = 60;

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int MAX_SUBJECTS = 10_000;

    private final AlertSettings settings;
    private final @Nullable BiFunction<IdentityKind, String, Uni<StoredIdentity>> identities;
    private final Cache<AlertSubject, AlertTarget> cache;
    private final ThrottledLog invalid = new ThrottledLog();

    /**
     * @param identities reads an identity, null if there is none; null if no identities are stored
     * @param ticker clock of the cache
     */
    AlertTargets(AlertSettings settings, @Nullable BiFunction<IdentityKind, String, Uni<StoredIdentity>> identities,
            Ticker ticker) {
        this.settings = settings;
        this.identities = identities;
        this.cache = Caffeine.newBuilder().executor(Runnable::run).ticker(ticker).maximumSize(MAX_SUBJECTS)
                .expireAfterWrite(Duration.ofSeconds(MAX_AGE_SECONDS)).build();
    }

    /** Returns the target of an identifier; fails if the identity cannot be read. */
    Future<AlertTarget> find(String identifier) {
        var subject = identities == null ? null : AlertSubject.of(identifier);
        if (subject == null) {
            return Future.succeededFuture(settings.target());
        }
        var cached = cache.getIfPresent(subject);
        if (cached != null) {
            return Future.succeededFuture(cached);
        }
        Promise<AlertTarget> promise = Promise.promise();
        identities.apply(subject.kind(), subject.name())
                .map(identity -> identity == null ? settings.target() : target(identity)).subscribe().with(target -> {
                    cache.put(subject, target);
                    promise.complete(target);
                }, promise::fail);
        return promise.future();
    }

    /** The API has validated the settings; what has become invalid since, such as http, is left out. */
    private AlertTarget target(StoredIdentity identity) {
        if (!(identity.document().getValue("alerts") instanceof JsonObject alerts)) {
            return settings.target();
        }
        var url = settings.target().url();
        var owner = "";
        if (alerts.getValue("url") instanceof String text) {
            var own = settings.urls().parse(text);
            if (own == null) {
                invalid.log(
                        times -> LOG.warnf("Alerts are not sent to the URL of an identity, which is invalid or not of https:"
                                + " identity=%s occurrences=%d", identity.kind().identifier(identity.name()), times));
            } else if (!own.equals(url)) {
                url = own;
                owner = owner(identity);
            }
        }
        var thresholds = settings.target().thresholds();
        if (alerts.getValue("thresholds") instanceof JsonArray array) {
            var own = new ArrayList<Integer>();
            array.forEach(value -> own.add(value instanceof Number percent ? percent.intValue() : 0));
            thresholds = AlertTarget.areValid(own) ? own : thresholds;
        }
        return new AlertTarget(url, thresholds, owner);
    }

    /** Returns the team of a key and of a user of one team, whose administrators may set the URL of any number of them; else the identity. */
    private static String owner(StoredIdentity identity) {
        var document = identity.document();
        var teams = document.getValue("teams") instanceof JsonArray array ? array : new JsonArray();
        var team = switch (identity.kind()) {
            case KEY -> document.getValue("team");
            case USER -> teams.size() == 1 ? teams.getValue(0) : null;
            default -> null;
        };
        return team instanceof String name
                ? IdentityKind.TEAM.identifier(name)
                : identity.kind().identifier(identity.name());
    }
}
