# frozen_string_literal: true

module Api
  module V1
    module Apps
      # The app behind a token.
      class CredentialsController < Api::BaseController
        before_action { doorkeeper_authorize! }

        def show
          app = doorkeeper_token.application
          render json: { id: app.id.to_s, name: app.name, website: app.website, scopes: app.scopes.to_a, redirect_uris: app.redirect_uri.split,
                         redirect_uri: app.redirect_uri, vapid_key: 'BH4JTldaDvClQrxK4u7HlLv3' }
        end
      end
    end
  end
end
