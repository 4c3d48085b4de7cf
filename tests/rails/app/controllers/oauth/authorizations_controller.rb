# frozen_string_literal: true

module Oauth
  # Row 14. The page that asks, and the code.
  class AuthorizationsController < Doorkeeper::AuthorizationsController
    prepend_before_action { store_location_for(:user, request.fullpath) if request.get? && !user_signed_in? }

    private

    # A superapp, or a person who said yes before, is not asked again, unless
    # the client insists.
    def skip_authorization?
      super && !truthy_param?(:force_login)
    end

    def matching_token?
      super unless truthy_param?(:force_login)
    end

    def truthy_param?(key)
      ActiveModel::Type::Boolean.new.cast(params[key])
    end
  end
end
