# frozen_string_literal: true

module Api
  module V1
    module Emails
      # Row 9: an app changes the address of the person it signed up.
      class ConfirmationsController < Api::BaseController
        before_action -> { doorkeeper_authorize! :write, :'write:accounts' }
        before_action :require_owning_app!

        def create
          current_user.update!(email: params[:email]) if params.key?(:email)
          current_user.resend_confirmation_instructions
          render json: {}
        end

        private

        def require_owning_app!
          return render json: { error: 'This method requires an authenticated user' }, status: :unprocessable_entity unless current_user

          owned = current_user.created_by_application_id == doorkeeper_token.application_id
          return if owned && (!current_user.confirmed? || current_user.unconfirmed_email.present?)

          render json: { error: 'This method is only available to the application the user originally signed-up with' }, status: :forbidden
        end
      end
    end
  end
end
