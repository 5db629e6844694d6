// Swagger UI, as each service has it, with the three contracts to choose from. The page keeps a token until it is left.
SwaggerUIBundle({
  dom_id: '#swagger-ui',
  urls: ['customers', 'orders', 'orchestrator'].map(name => ({ name, url: `/openapi/${name}.json` })),
  layout: 'StandaloneLayout',
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [SwaggerUIBundle.plugins.DownloadUrl, withoutWhatIsNotPublic],
  defaultModelsExpandDepth: -1,
  deepLinking: true,
  showCommonExtensions: true,
  showExtensions: true,
  validatorUrl: null,
});

// The door has no way to these.
function withoutWhatIsNotPublic() {
  const hidden = ['internal', 'service', 'docs'];
  const taggedOperations = all => (...args) => all(...args).filter((_, tag) => !hidden.includes(tag));
  return { statePlugins: { spec: { wrapSelectors: { taggedOperations } } } };
}
