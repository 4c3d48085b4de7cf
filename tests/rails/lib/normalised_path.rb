# frozen_string_literal: true

# Mastodon's throttling middleware rewrites PATH_INFO for everything behind it,
# with the router's own normalisation: runs of slashes squeezed, one trailing
# slash off, percent triplets in upper case.
class NormalisedPath
  def initialize(app)
    @app = app
  end

  def call(env)
    env['PATH_INFO'] = ActionDispatch::Journey::Router::Utils.normalize_path(env['PATH_INFO'])
    @app.call(env)
  end
end
