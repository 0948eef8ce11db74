package dev.sluice.interceptor;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.BeanManager;

import org.eclipse.microprofile.config.Config;

import dev.sluice.api.Identifiers;
import dev.sluice.api.Quota;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;
import dev.sluice.config.ConfigProblems;

/** Reads the annotations of methods, each once. */
@ApplicationScoped
public class RateLimitedMethods {

    private record Key(Class<?> bean, Method method) {
    }

    private final Config config;
    private final Map<Key, MethodLimits> read = new ConcurrentHashMap<>();

    RateLimitedMethods(Config config) {
        this.config = config;
    }

    /**
     * @param bean the bean's class, as it was written
     * @return what limits the method; empty where nothing does
     */
    public MethodLimits of(Class<?> bean, Method method) {
        var key = new Key(bean, method);
        var limits = read.get(key);
        return limits == null ? read.computeIfAbsent(key, this::read) : limits;
    }

    private MethodLimits read(Key key) {
        var annotations = annotations(key);
        if (annotations.length == 0) {
            return MethodLimits.NONE;
        }
        var limits = new ArrayList<AnnotatedLimit>(annotations.length);
        for (var annotation : annotations) {
            limits.add(read(annotation, key));
        }
        return new MethodLimits(List.copyOf(limits));
    }

    private static RateLimited[] annotations(Key key) {
        var own = key.method().getAnnotationsByType(RateLimited.class);
        return own.length > 0 ? own : key.bean().getAnnotationsByType(RateLimited.class);
    }

    private AnnotatedLimit read(RateLimited annotation, Key key) {
        var resource = ConfigExpressions.expand(config, annotation.resource());
        if (resource.isEmpty()) {
            resource = key.bean().getName() + '.' + key.method().getName();
            // A class may have a longer name than a resource may; its end tells most.
            resource = resource.substring(Math.max(0, resource.length() - Identifiers.MAX_LENGTH));
        }
        if (annotation.cost() < 1) {
            throw new IllegalArgumentException("cost must be at least 1");
        }
        var demand = new ResourceCheck(resource, rate(annotation), annotation.cost());
        if (demand.rate() != Rate.BLOCKED && demand.isUnsatisfiable()) {
            throw new IllegalArgumentException("cost is above the limit: it could never pass");
        }
        return new AnnotatedLimit(demand, annotation.key().isEmpty() ? null : template(annotation, key));
    }

    private KeyTemplate template(RateLimited annotation, Key key) {
        var template = new KeyTemplate(ConfigExpressions.expand(config, annotation.key()));
        var known = KeyPlaceholders.of(key.bean(), key.method());
        for (var name : template.placeholders()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException("key names {" + name + "}, and there is only " + known);
            }
        }
        return template;
    }

    private Rate rate(RateLimited annotation) {
        boolean numbers = annotation.limit() != 0 || annotation.window() != 0;
        if (annotation.value().isEmpty() == !numbers) {
            throw new IllegalArgumentException("give a rate, or limit and window");
        }
        return numbers
                ? Rate.of(new Quota(annotation.limit(), Duration.ofSeconds(annotation.window())))
                : Rate.parse(ConfigExpressions.expand(config, annotation.value()));
    }

    /** Reads every annotation of every bean at start, so that none fails a call later. */
    void validate(@Observes ConfigProblems problems, BeanManager beans) {
        BeanMethods.forEach(beans, (bean, method) -> validate(new Key(bean, method), problems));
    }

    private void validate(Key key, ConfigProblems problems) {
        if (annotations(key).length == 0) {
            return;
        }
        try {
            of(key.bean(), key.method());
        } catch (IllegalArgumentException e) {
            var texts = new ArrayList<String>();
            for (var annotation : annotations(key)) {
                texts.add(annotation.value().isEmpty()
                        ? annotation.limit() + " in " + annotation.window() + " s"
                        : annotation.value());
            }
            problems.add("@RateLimited of " + key.bean().getName() + '.' + key.method().getName(), String.join(", ", texts),
                    e.getMessage() + "; allowed: " + Rate.SYNTAX);
        }
    }
}
