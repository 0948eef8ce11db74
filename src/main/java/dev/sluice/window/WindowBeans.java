package dev.sluice.window;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import dev.sluice.limit.DecisionListener;
import dev.sluice.limit.Mode;
import dev.sluice.limit.RateLimiter;
import dev.sluice.limit.SettingsProblems;
import dev.sluice.redis.RedisAccess;
import dev.sluice.redis.RedisLink;
import dev.sluice.redis.RedisScript;
import dev.sluice.redis.RedisSettings;
import io.quarkus.arc.DefaultBean;
import io.quarkus.runtime.StartupEvent;

/** Wires the store that the settings ask for. */
@ApplicationScoped
class WindowBeans implements StoreStatus {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    /** How long a start waits for the first connection: without Redis it goes on in the fallback. */
    private static final Duration FIRST_CONNECTION = Duration.ofSeconds(2);

    private final WindowSettings settings;
    private final boolean redisWanted;
    private final RedisLink link;
    private final Windows windows;
    private volatile boolean wasDown;

    @Inject
    WindowBeans(WindowSettings settings, RedisSettings redisSettings, RedisAccess redis) {
        this.settings = settings;
        this.redisWanted = redisSettings.enabled();
        this.link = redis.link();
        var memory = new MemoryStore(Clock.SYSTEM, settings.exactUpTo(), settings.memory().maxSize().asLongValue());
        if (link == null) {
            this.windows = new Windows(null, memory, settings.fallback());
        } else {
            link.onChange(cause -> changed(cause, cause == null));
            this.windows = new Windows(new RedisStore(link, redis.keys(), settings.exactUpTo(), settings.timeout(),
                    RedisScript.SERVER_TIME), memory, settings.fallback());
        }
    }

    /** After the settings have been checked, and before the first request comes. */
    void start(@Observes @Priority(10) StartupEvent started) {
        if (link != null) {
            connect();
        } else if (redisWanted) {
            LOG.warn("Rate limits are kept in this instance's memory, for it alone: no Redis client is configured"
                    + " (quarkus.redis.rate-limit.hosts or quarkus.redis.hosts; rate-limit.redis.enabled=false if that is meant)");
        }
    }

    private void connect() {
        try {
            link.start().toCompletionStage().toCompletableFuture().get(FIRST_CONNECTION.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            changed(e instanceof TimeoutException ? null : e.getCause(), false);
        }
    }

    private void changed(Throwable cause, boolean up) {
        if (!up) {
            wasDown = true;
            LOG.warnf("Redis is out of reach (%s); rate limits are %s until it answers", reason(cause),
                    meaning(windows.mode()));
        } else if (wasDown) {
            LOG.info("Redis answers; rate limits are exact over all instances");
        }
    }

    private static String reason(Throwable cause) {
        if (cause == null) {
            return "no answer";
        }
        var message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return message.replaceAll("\\R\\s*", " "); // one line per change, whatever the client has to say
    }

    private static String meaning(Mode mode) {
        return switch (mode) {
            case OPEN -> "not applied (rate-limit.fallback=open)";
            case CLOSED -> "answered with 503 (rate-limit.fallback=closed)";
            default -> "kept in this instance's memory (rate-limit.fallback=local)";
        };
    }

    @Override
    public Mode mode() {
        return windows.mode();
    }

    @Produces
    @Singleton
    @DefaultBean
    RateLimiter limiter(@Any Instance<DecisionListener> listeners) {
        return new WindowRateLimiter(windows, Clock.SYSTEM, settings.enabled(), settings.dryRun(), listeners.stream().toList());
    }

    void validate(@Observes SettingsProblems problems) {
        if (settings.exactUpTo() < 1 || settings.exactUpTo() > 10_000) {
            problems.add("rate-limit.exact-up-to", Long.toString(settings.exactUpTo()), "1 to 10000");
        }
        if (settings.timeout().compareTo(Duration.ofMillis(1)) < 0 || settings.timeout().compareTo(Duration.ofMinutes(1)) > 0) {
            problems.add("rate-limit.timeout", settings.timeout().toString(), "a duration from 1ms to 1m");
        }
    }
}
