# frozen_string_literal: true

module Auth
  # Row 19: signing in, which only looks the address up.
  class SessionsController < Devise::SessionsController
    def create
      super { |user| activate_session(user) }
    end

    protected

    def after_sign_in_path_for(resource)
      return auth_setup_path unless resource.confirmed?

      stored_location_for(resource) || root_path
    end
  end
end
