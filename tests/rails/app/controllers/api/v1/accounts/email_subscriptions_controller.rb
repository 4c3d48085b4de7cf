# frozen_string_literal: true

module Api
  module V1
    module Accounts
      # Row 24: mail to a stranger's address.
      class EmailSubscriptionsController < Api::BaseController
        skip_before_action :verify_authenticity_token

        def create
          Account.find(params[:account_id])
          return render json: { error: "Validation failed: Email can't be blank" }, status: :unprocessable_entity if params[:email].blank?

          render json: {}
        end
      end
    end
  end
end
