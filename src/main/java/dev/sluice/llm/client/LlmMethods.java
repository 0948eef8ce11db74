package dev.sluice.llm.client;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.Config;

import dev.sluice.api.Identifiers;
import dev.sluice.config.ConfigProblems;
import dev.sluice.interceptor.BeanMethods;
import dev.sluice.interceptor.ConfigExpressions;
import dev.sluice.llm.LlmRateLimited;
import dev.sluice.llm.LlmTier;
import dev.sluice.llm.LlmUser;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.TokenUsage;

/** Parses the {@link LlmRateLimited} of methods, each once. */
@Singleton
public class LlmMethods {

    private record Key(Class<?> bean, Method method) {
    }

    private final Config config;
    private final Providers providers;
    private final Map<Key, LlmMethod> methods = new ConcurrentHashMap<>();

    LlmMethods(Config config, Providers providers) {
        this.providers = providers;
        this.config = config;
    }

    LlmMethod of(Class<?> bean, Method method) {
        var key = new Key(bean, method);
        var cached = methods.get(key);
        return cached == null ? methods.computeIfAbsent(key, this::parse) : cached;
    }

    /** Returns the number of limited methods that are known: after the start, those of all beans. */
    public int count() {
        return methods.size();
    }

    private static LlmRateLimited annotation(Key key) {
        var own = key.method().getAnnotation(LlmRateLimited.class);
        return own != null ? own : key.bean().getAnnotation(LlmRateLimited.class);
    }

    private LlmMethod parse(Key key) {
        var annotation = annotation(key);
        var provider = providers.find(ConfigExpressions.expand(config, annotation.value()));
        if (provider == null) {
            throw new IllegalArgumentException("provider must be " + providers.allowedIds());
        }
        var model = ConfigExpressions.expand(config, annotation.model());
        if (!model.isEmpty() && !Identifiers.isValid(model)) {
            throw new IllegalArgumentException("model must have at most " + Identifiers.MAX_LENGTH + " characters");
        }
        if (annotation.tokens() < -1 || annotation.tokens() > TokenUsage.MAX) {
            throw new IllegalArgumentException("tokens must be 0 to " + TokenUsage.MAX + ", or -1 for the configured estimate");
        }
        return new LlmMethod(provider, model, annotation.tokens(), indexOfAnnotated(key.method(), LlmUser.class),
                indexOfAnnotated(key.method(), LlmTier.class));
    }

    private static int indexOfAnnotated(Method method, Class<? extends Annotation> annotation) {
        var parameters = method.getParameters();
        for (int i = 0; i < parameters.length; i++) {
            if (parameters[i].isAnnotationPresent(annotation)) {
                return i;
            }
        }
        return -1;
    }

    /** Validates the annotations of all beans at startup, so that none fails a call later. */
    void validate(@Observes ConfigProblems problems, BeanManager beans) {
        BeanMethods.forEach(beans, (bean, method) -> validate(new Key(bean, method), problems));
    }

    private void validate(Key key, ConfigProblems problems) {
        var annotation = annotation(key);
        if (annotation == null) {
            return;
        }
        try {
            of(key.bean(), key.method());
        } catch (IllegalArgumentException e) {
            problems.add("@LlmRateLimited of " + key.bean().getName() + '.' + key.method().getName(),
                    annotation.model().isEmpty() ? annotation.value() : annotation.value() + ", " + annotation.model(),
                    e.getMessage());
        }
    }
}
