package dev.sluice.interceptor;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.BeanManager;

import org.eclipse.microprofile.config.Config;

import dev.sluice.api.ConcurrencyLimited;
import dev.sluice.api.Identifiers;
import dev.sluice.api.Quota;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;
import dev.sluice.config.ConfigProblems;
import dev.sluice.identity.Sha256;
import dev.sluice.policy.key.RuleKey;

/** Parses the {@link RateLimited} and {@link ConcurrencyLimited} annotations of methods and caches the result. Thread-safe. */
@ApplicationScoped
public class RateLimitedMethods {

    /** Hexadecimal digits of the hash in a shortened resource name. */
    private static final int HASH_LENGTH = 16;

    private record MethodKey(Class<?> beanClass, Method method) {
    }

    private final Config config;
    private final Map<MethodKey, MethodLimits> cache = new ConcurrentHashMap<>();

    RateLimitedMethods(Config config) {
        this.config = config;
    }

    /**
     * Returns the limits of a method: those of its annotations, or else those of its class.
     *
     * @param beanClass class of the bean, not the subclass that the container has generated
     * @param method the method
     * @return the limits; empty if there are none
     * @throws IllegalArgumentException if an annotation is invalid
     */
    public MethodLimits of(Class<?> beanClass, Method method) {
        var key = new MethodKey(beanClass, method);
        var limits = cache.get(key);
        return limits == null ? cache.computeIfAbsent(key, this::parse) : limits;
    }

    /** Returns the number of limited methods that are known: after the start, those of all beans. */
    public long count() {
        return cache.values().stream().filter(limits -> limits != MethodLimits.NONE).count();
    }

    /** Returns whether a method has a rate, apart from a limit of invocations in flight. */
    boolean isRateLimited(Class<?> beanClass, Method method) {
        return of(beanClass, method).hasRates();
    }

    private MethodLimits parse(MethodKey key) {
        var annotations = annotations(key);
        var concurrency = concurrency(key);
        if (annotations.length == 0 && concurrency == null) {
            return MethodLimits.NONE;
        }
        var limits = new ArrayList<AnnotatedLimit>(annotations.length + 1);
        for (var annotation : annotations) {
            limits.add(parse(annotation, key));
        }
        if (concurrency != null) {
            limits.add(new AnnotatedLimit(
                    new ResourceCheck(resource(concurrency.resource(), key), Rate.concurrency(concurrency.value()), 1),
                    identifiers(ConfigExpressions.expand(config, concurrency.key()), key)));
        }
        return new MethodLimits(List.copyOf(limits));
    }

    private static RateLimited[] annotations(MethodKey key) {
        var own = key.method().getAnnotationsByType(RateLimited.class);
        return own.length > 0 ? own : key.beanClass().getAnnotationsByType(RateLimited.class);
    }

    private static ConcurrencyLimited concurrency(MethodKey key) {
        var own = key.method().getAnnotation(ConcurrencyLimited.class);
        return own != null ? own : key.beanClass().getAnnotation(ConcurrencyLimited.class);
    }

    private static boolean isLimited(MethodKey key) {
        return annotations(key).length > 0 || concurrency(key) != null;
    }

    /** Class names may be longer than resource names: keeps the end, which is the most specific part, after a hash of the whole. */
    private static String shortened(String resource) {
        if (resource.length() <= Identifiers.MAX_LENGTH) {
            return resource;
        }
        var hash = Sha256.hex(resource).substring(0, HASH_LENGTH) + '~';
        return hash + resource.substring(resource.length() - Identifiers.MAX_LENGTH + hash.length());
    }

    /** @param text name of the annotation; empty for that of the method */
    private String resource(String text, MethodKey key) {
        var resource = ConfigExpressions.expand(config, text);
        if (resource.isEmpty()) {
            resource = key.beanClass().getName() + '.' + key.method().getName();
            if (isOverloaded(key)) {
                resource += Arrays.stream(key.method().getParameterTypes()).map(Class::getTypeName)
                        .collect(Collectors.joining(",", "(", ")"));
            }
            resource = shortened(resource);
        }
        return resource;
    }

    private AnnotatedLimit parse(RateLimited annotation, MethodKey key) {
        var resource = resource(annotation.resource(), key);
        if (annotation.cost() < 1) {
            throw new IllegalArgumentException("cost must be at least 1");
        }
        var check = new ResourceCheck(resource, rate(annotation), annotation.cost());
        if (check.rate() != Rate.BLOCKED && check.isUnsatisfiable()) {
            throw new IllegalArgumentException("cost is above the limit: every invocation would be denied");
        }
        return new AnnotatedLimit(check, identifiers(ConfigExpressions.expand(config, annotation.key()), key));
    }

    /** Returns whether the bean has another limited method of the same name. One that it overrides is not another one. */
    private static boolean isOverloaded(MethodKey key) {
        for (Class<?> type = key.beanClass(); type != null && type != Object.class; type = type.getSuperclass()) {
            for (var other : type.getDeclaredMethods()) {
                if (other.getName().equals(key.method().getName()) && isInterceptable(other)
                        && !Arrays.equals(other.getParameterTypes(), key.method().getParameterTypes())
                        && isLimited(new MethodKey(key.beanClass(), other))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isInterceptable(Method method) {
        return !method.isBridge() && !method.isSynthetic()
                && (method.getModifiers() & (Modifier.PRIVATE | Modifier.STATIC)) == 0;
    }

    private static AnnotatedLimit.Identifiers identifiers(String text, MethodKey key) {
        if (text.isEmpty()) {
            return (source, placeholders) -> List.of(source.caller().identifier());
        }
        if (RuleKey.isPart(text)) {
            var parts = RuleKey.parse(Arrays.asList(text.split(",", -1)));
            checkPlaceholders(parts.pathVariables(), key);
            return (source, placeholders) -> parts.identifiers(source);
        }
        var template = new KeyTemplate(text);
        checkPlaceholders(template.placeholders(), key);
        return (source, placeholders) -> List.of(template.identifier(placeholders));
    }

    private static void checkPlaceholders(List<String> names, MethodKey key) {
        var allowed = KeyPlaceholders.of(key.beanClass(), key.method());
        for (var name : names) {
            if (!allowed.contains(name)) {
                throw new IllegalArgumentException("key has an unknown placeholder {" + name + "}; known: " + allowed);
            }
        }
    }

    private Rate rate(RateLimited annotation) {
        boolean hasWindow = annotation.window() != 0;
        boolean hasPer = !annotation.per().isEmpty();
        if (annotation.value().isEmpty() == (annotation.limit() == 0 && !hasWindow && !hasPer) || hasWindow && hasPer) {
            throw new IllegalArgumentException("set either a rate, or limit and window, or limit and per");
        }
        if (hasPer) {
            var rate = Rate.parse(annotation.limit() + "/" + ConfigExpressions.expand(config, annotation.per()));
            if (rate.quotas().size() != 1) {
                throw new IllegalArgumentException("per must be one duration; join several quotas in the rate");
            }
            return rate;
        }
        return annotation.value().isEmpty()
                ? Rate.of(new Quota(annotation.limit(), Duration.ofSeconds(annotation.window())))
                : Rate.parse(ConfigExpressions.expand(config, annotation.value()));
    }

    /** Validates the annotations of all beans at startup, so that no invocation fails later. */
    void validate(@Observes ConfigProblems problems, BeanManager beans) {
        BeanMethods.forEach(beans, (bean, method) -> validate(new MethodKey(bean, method), problems));
    }

    private void validate(MethodKey key, ConfigProblems problems) {
        if (!isLimited(key)) {
            return;
        }
        try {
            of(key.beanClass(), key.method());
        } catch (IllegalArgumentException e) {
            var texts = new ArrayList<String>();
            for (var annotation : annotations(key)) {
                texts.add(annotation.value().isEmpty()
                        ? annotation.limit() + "/" + (annotation.per().isEmpty() ? annotation.window() + "s" : annotation.per())
                        : annotation.value());
            }
            var concurrency = concurrency(key);
            if (concurrency != null) {
                texts.add("concurrency " + concurrency.value());
            }
            problems.add(
                    (annotations(key).length > 0 ? "@RateLimited" : "@ConcurrencyLimited") + " on " + key.beanClass().getName()
                            + '.' + key.method().getName(),
                    String.join(", ", texts),
                    e.getMessage() + (annotations(key).length > 0 ? "; allowed: " + Rate.SYNTAX : ""));
        }
    }
}
